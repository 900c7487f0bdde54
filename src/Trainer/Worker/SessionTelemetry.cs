using System.Diagnostics;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Telemetry;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Collectives;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Rounds;
using static Cluster.Trainer.Worker.TrainerTelemetry;

namespace Cluster.Trainer.Worker;

/// <summary>
/// What a session tells of itself to whoever measures: metrics of every round, and spans of some, in the trace of the job's submission.
/// Used by the training thread alone, between rounds; where nobody listens it costs a few comparisons a round.
/// </summary>
/// <remarks>
/// <code>
///   job.session
///     job.generation                       one after the other
///       job.round                          of the rounds that RoundSampling names, and of a generation's first one
///         round.compute, .wait, .reduce, .update
///       job.evaluation
/// </code>
/// Spans of rounds are made when their round is over, out of what the loop measured: a round under way has none.
/// </remarks>
internal sealed class SessionTelemetry : IDisposable
{
    private static readonly KeyValuePair<string, object?> s_sent = new(TelemetryKeys.Direction, "transmit"), s_received = new(TelemetryKeys.Direction, "receive");

    private readonly KeyValuePair<string, object?> _job;
    private readonly TimeProvider _time;
    private readonly Activity? _session;
    private Activity? _generation;
    private Mesh? _mesh;
    private long _vectorBytes;
    private long _sent;
    private long _received;
    private bool _isFirst; // No round of this generation was committed yet.

    /// <summary>To be called on the training thread: the span is that thread's surroundings from then on, and so of all it logs and calls.</summary>
    public SessionTelemetry(string jobId, string workerId, JobSubmission submission, TimeProvider time)
    {
        _job = new(TelemetryKeys.Job, jobId);
        _time = time;
        _session = Source.StartActivity(SessionSpan, ActivityKind.Consumer, TraceLink.Parse(submission.TraceParent) ?? default, [_job, new(TelemetryKeys.Worker, workerId)]);
    }

    /// <param name="vectorBytes">Of a contribution.</param>
    public void Begin(Assignment assignment, Mesh mesh, long vectorBytes)
    {
        (_mesh, _vectorBytes, _sent, _received, _isFirst) = (mesh, vectorBytes, 0, 0, true);
        _generation = Source.StartActivity(GenerationSpan)?
            .SetTag(TelemetryKeys.Job, assignment.JobId)
            .SetTag(TelemetryKeys.Generation, assignment.Generation)
            .SetTag(TelemetryKeys.Rank, assignment.Rank)
            .SetTag(TelemetryKeys.Ranks, assignment.Members.Length)
            .SetTag(TelemetryKeys.IsRecovery, assignment.IsRecovery);
    }

    /// <summary>The rank has the newest committed state.</summary>
    public void CaughtUp(long round)
    {
        CountBytes();
        _generation?.AddEvent(new("caught up", _time.GetUtcNow(), new() { [TelemetryKeys.Round] = round }));
    }

    public void LeavesComputed(int count) => Leaves.Add(count, _job);

    public void Committed(RoundCounters counters, in Tally tally, RoundResult result, in RoundTimes times)
    {
        RoundTime.Record(times.Compute.TotalSeconds, _job, Phase(Compute));
        RoundTime.Record(times.Wait.TotalSeconds, _job, Phase(Wait));
        RoundTime.Record(times.Reduce.TotalSeconds, _job, Phase(Reduce));
        RoundTime.Record(times.Update.TotalSeconds, _job, Phase(Update));
        TrainerTelemetry.Rounds.Add(1, _job, new(TelemetryKeys.Outcome, result.Skipped is null ? "applied" : "skipped"));
        Samples.Add(tally.Samples, _job);
        CountBytes();
        if (_generation is { IsAllDataRequested: true } generation && (_isFirst || RoundSampling.IsTraced(counters.Round))) { Trace(generation.Context, counters.Round, result, times); }
        _isFirst = false;
    }

    public void Evaluated(long round, TimeSpan took)
    {
        EvaluationTime.Record(took.TotalSeconds, _job);
        CountBytes();
        if (_generation is { IsAllDataRequested: true } generation)
        {
            var end = _time.GetUtcNow();
            Span(EvaluationSpan, generation.Context, end - took, end)?.SetTag(TelemetryKeys.Round, round).Dispose();
        }
    }

    /// <summary>The generation ends, here at least.</summary>
    /// <param name="fault">Why it was lost; null where it ended by itself.</param>
    public void EndGeneration(string? fault)
    {
        CountBytes();
        _mesh = null;
        if (fault is not null)
        {
            Faults.Add(1, _job);
            _generation?.SetStatus(ActivityStatusCode.Error, fault);
        }

        _generation?.Dispose();
        _generation = null;
    }

    public void Ended(Outcome outcome) => _session?
        .SetTag(TelemetryKeys.State, outcome.State.ToString())
        .SetStatus(outcome.State is JobState.Failed ? ActivityStatusCode.Error : ActivityStatusCode.Unset, outcome.Reason);

    public void Dispose()
    {
        _generation?.Dispose();
        _session?.Dispose();
    }

    private void Trace(ActivityContext generation, long round, RoundResult result, in RoundTimes times)
    {
        var at = _time.GetUtcNow() - times.Total;
        using var span = Span(RoundSpan, generation, at, at + times.Total);
        if (span is null) { return; }
        span.SetTag(_job.Key, _job.Value).SetTag(TelemetryKeys.Round, round);
        if (result.Skipped is { } skipped) { span.SetTag(TelemetryKeys.Outcome, "skipped").SetTag(TelemetryKeys.Reason, skipped); }
        Part(Compute, times.Compute)?.Dispose();
        Part(Wait, times.Wait)?.Dispose();
        Part(Reduce, times.Reduce)?
            .SetTag(TelemetryKeys.Transport, _mesh is { IsShared: true } ? "shared memory" : "connections")
            .SetTag(TelemetryKeys.Bytes, _vectorBytes)
            .Dispose();
        Part(Update, times.Update)?.Dispose();

        Activity? Part(string phase, TimeSpan took)
        {
            if (took <= TimeSpan.Zero) { return null; } // A span without length would be ended by the clock.
            var part = Span(PhaseSpanPrefix + phase, span.Context, at, at + took);
            at += took;
            return part;
        }
    }

    /// <summary>One that is over already. Its own end is kept when it is disposed of.</summary>
    private static Activity? Span(string name, ActivityContext parent, DateTimeOffset start, DateTimeOffset end) =>
        Source.StartActivity(name, ActivityKind.Internal, parent, startTime: start)?.SetEndTime(end.UtcDateTime);

    /// <summary>Of the generation's connections since the last time.</summary>
    private void CountBytes()
    {
        if (_mesh is not { } mesh || !Network.Enabled) { return; }
        var (sent, received) = (mesh.BytesSent, mesh.BytesReceived);
        Network.Add(sent - _sent, _job, s_sent);
        Network.Add(received - _received, _job, s_received);
        (_sent, _received) = (sent, received);
    }

    private static KeyValuePair<string, object?> Phase(string phase) => new(TelemetryKeys.Phase, phase);
}
