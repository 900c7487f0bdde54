using System.Diagnostics;
using System.Diagnostics.Metrics;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Telemetry;
using Cluster.Grains.Jobs;
using Cluster.Grains.Pool;

namespace Cluster.Grains.Telemetry;

/// <summary>
/// The instruments and spans of a silo. <c>docs/telemetry.md</c> is their table, and a test holds the two together. No metric here has
/// a job's name: a silo lives longer than its jobs.
/// </summary>
internal sealed class ControlTelemetry
{
    public const string Name = "Cluster.Control";

    public const string JobSpan = "job", StepSpan = "job.step";

    private static readonly ActivitySource s_source = new(Name);

    private readonly Counter<long> _submitted;
    private readonly Counter<long> _ended;
    private readonly Counter<long> _generations;
    private readonly Counter<long> _recoveries;
    private readonly UpDownCounter<long> _leases;
    private readonly Counter<long> _leasesLost;
    private volatile Pool.Pool? _pool;

    public ControlTelemetry(IMeterFactory meters)
    {
        var meter = meters.Create(Name);
        _submitted = meter.CreateCounter<long>("cluster.jobs.submitted", "{job}", "Jobs that were taken");
        _ended = meter.CreateCounter<long>("cluster.jobs.ended", "{job}", "Jobs that came to a final state");
        _generations = meter.CreateCounter<long>("cluster.generations", "{generation}", "Generations that were begun");
        _recoveries = meter.CreateCounter<long>("cluster.recoveries", "{generation}", "Generations that were lost");
        _leases = meter.CreateUpDownCounter<long>("cluster.leases", "{lease}", "Workers whose lease this silo holds");
        _leasesLost = meter.CreateCounter<long>("cluster.leases.lost", "{lease}", "Leases that ended because the worker was silent");
        meter.CreateObservableGauge("cluster.workers", Workers, "{worker}", "Workers of the pool");
        meter.CreateObservableGauge("cluster.jobs.queued", Queued, "{job}", "Jobs that wait for workers");
        meter.CreateObservableGauge("cluster.jobs.placed", Placed, "{job}", "Jobs that have workers");
    }

    /// <summary>The pool where its grain is; null in every other silo.</summary>
    public Pool.Pool? Pool
    {
        set => _pool = value;
    }

    public void LeaseBegan() => _leases.Add(1);

    /// <param name="isLost">The worker was silent for too long.</param>
    public void LeaseEnded(bool isLost)
    {
        _leases.Add(-1);
        if (isLost) { _leasesLost.Add(1); }
    }

    /// <summary>A change of a job as a span in the trace of its submission; null where there is none, or nobody listens.</summary>
    public static Activity? Step(string jobId, JobGrainState after, string reason) =>
        after.Submission?.TraceParent is { } parent && TraceLink.Parse(parent) is { } trace
            ? s_source.StartActivity(StepSpan, ActivityKind.Internal, trace, [new(TelemetryKeys.Job, jobId), new(TelemetryKeys.State, after.State.ToString()), new(TelemetryKeys.Generation, after.Generation), new(TelemetryKeys.Reason, reason)])
            : null;

    /// <param name="now">For the span of a job that has ended.</param>
    public void Changed(string jobId, JobGrainState before, JobGrainState after, DateTimeOffset now)
    {
        if (before.State is JobState.Unknown) { _submitted.Add(1); }
        if (after.Generation > before.Generation) { _generations.Add(1, new KeyValuePair<string, object?>(TelemetryKeys.Kind, after.IsRecovery ? "recovery" : after.Generation == 1 ? "first" : "graceful")); }
        if (after.Recoveries > before.Recoveries) { _recoveries.Add(1); }
        if (after.State.IsFinal && !before.State.IsFinal)
        {
            _ended.Add(1, new KeyValuePair<string, object?>(TelemetryKeys.State, after.State.ToString()));
            TraceJob(jobId, after, now);
        }
    }

    /// <summary>From its submission to its end; a job that is resumed has one for each end.</summary>
    private static void TraceJob(string jobId, JobGrainState job, DateTimeOffset now)
    {
        if (TraceLink.Parse(job.Submission?.TraceParent) is not { } trace) { return; }
        using var span = s_source.StartActivity(JobSpan, ActivityKind.Internal, trace, startTime: new(job.SubmittedAt));
        span?.SetTag(TelemetryKeys.Job, jobId)
            .SetTag(TelemetryKeys.State, job.State.ToString())
            .SetTag(TelemetryKeys.Generation, job.Generation)
            .SetStatus(job.State is JobState.Failed ? ActivityStatusCode.Error : ActivityStatusCode.Unset, job.Reason)
            .SetEndTime(now.UtcDateTime);
    }

    private IEnumerable<Measurement<int>> Workers() => Measure(TelemetryKeys.State, pool => PoolCounts.Workers(pool));

    private IEnumerable<Measurement<int>> Queued() => Measure(TelemetryKeys.Reason, pool => PoolCounts.Queued(pool));

    private IEnumerable<Measurement<int>> Placed() => _pool is { } pool ? [new(pool.State.Placed.Length)] : [];

    private IEnumerable<Measurement<int>> Measure(string key, Func<Pool.Pool, IReadOnlyDictionary<string, int>> count) =>
        _pool is { } pool ? count(pool).Select(of => new Measurement<int>(of.Value, new KeyValuePair<string, object?>(key, of.Key))) : [];
}
