using Cluster.Contracts.Jobs;
using Cluster.Grains.Telemetry;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Workers;

/// <summary>
/// Stands between one worker and its job, and holds the lease on the worker's name. Keeps nothing that must survive: the
/// pool knows where the worker serves, and the job knows what it should do there.
/// </summary>
internal sealed partial class WorkerGrain(TimeProvider clock, ControlTelemetry telemetry, ILogger<WorkerGrain> logger) : Grain, IWorkerGrain
{
    /// <summary>An idle worker asks the pool again so often, in case the pool's message was lost. Busy ones never do.</summary>
    private static readonly TimeSpan OfferPeriod = TimeSpan.FromSeconds(10);

    /// <summary>The job sees the silence of its workers first and knows best what to do; the pool hears of it after that.</summary>
    private static readonly TimeSpan GonePeriod = ClusterTiming.Lease + TimeSpan.FromSeconds(1);

    private WorkerInfo? _holder;
    private WorkerInfo? _offered;
    private IWorkerBell? _bell;
    private IGrainTimer? _lease;
    private WorkerPlace _place = new(JobId: null, Version: -1);
    private bool _idle = true;
    private readonly long _beganAt = clock.GetTimestamp();
    private long _heardAt;
    private long _offeredAt;
    private long _dueAt;

    private string Id => this.GetPrimaryKeyString();

    private IPoolGrain Pool => GrainFactory.GetGrain<IPoolGrain>(IPoolGrain.Default);

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (_lease is not null) { telemetry.LeaseEnded(isLost: false); } // Another silo takes it over with the next heartbeat.
        return Task.CompletedTask;
    }

    public async Task<Directive> Heartbeat(WorkerInfo worker, JobReport? report, IWorkerBell bell)
    {
        WorkerRules.Check(Id, worker);
        if (_holder is { } holder && !holder.IsSameProcess(worker) && clock.GetElapsedTime(_heardAt) < ClusterTiming.Lease)
        {
            return new Directive.Idle($"another process holds the name {Id}: process {holder.ProcessId} on {holder.Host}, until its lease ends");
        }

        (_holder, _bell, _heardAt) = (worker, bell, clock.GetTimestamp());
        if (_lease is null)
        {
            LogHere(Id, worker.ProcessId, worker.Host, worker.Port);
            telemetry.LeaseBegan();
            Watch(GonePeriod);
        }

        if (worker != _offered || (_idle && clock.GetElapsedTime(_offeredAt) > OfferPeriod))
        {
            Take(await Pool.Offer(worker));
            (_offered, _offeredAt) = (worker, clock.GetTimestamp());
        }

        var directive = await Ask(worker, report);
        _idle = directive is Directive.Idle;
        _heardAt = clock.GetTimestamp(); // While it waited for this answer it was not silent.
        return directive;
    }

    public async Task Assign(WorkerPlace place)
    {
        if (Take(place))
        {
            await Ring();
        }
    }

    public async Task Ring()
    {
        if (_bell is not { } bell)
        {
            return;
        }

        try
        {
            await bell.Ring();
        }
        catch (Exception e)
        {
            LogDeaf(Id, e.Message); // A hint that is lost costs one heartbeat interval.
        }
    }

    public Task<bool> HasLost(WorkerInfo worker, string jobId) => Task.FromResult(
        _holder is not { } holder ? clock.GetElapsedTime(_beganAt) >= ClusterTiming.Lease
            : !holder.IsSameProcess(worker) || _place.JobId != jobId || clock.GetElapsedTime(_heardAt) >= ClusterTiming.Lease);

    /// <summary>
    /// The job of which it tells is asked first, also when it serves there no more: it may have to stay until its ranks have
    /// changed over, and what it did still belongs in the job's record.
    /// </summary>
    private async Task<Directive> Ask(WorkerInfo worker, JobReport? report)
    {
        if (report is not null && report.JobId != _place.JobId && Names.IsId(report.JobId)
            && await Job(report.JobId).Report(worker, report) is var stay and not Directive.Idle)
        {
            if (_place.JobId is { } next)
            {
                await Job(next).Report(worker, report: null); // It waits for this worker, which lives.
            }

            return stay;
        }

        return _place.JobId is { } jobId
            ? await Job(jobId).Report(worker, report?.JobId == jobId ? report : null)
            : new Directive.Idle("no job needs this worker");
    }

    private IJobGrain Job(string jobId) => GrainFactory.GetGrain<IJobGrain>(jobId);

    /// <summary>Messages of the pool may overtake each other: the newest holds.</summary>
    /// <returns>Whether that changed something.</returns>
    private bool Take(WorkerPlace place)
    {
        if (place.Version < _place.Version)
        {
            return false;
        }

        var changed = place.JobId != _place.JobId;
        if (changed && place.JobId is null)
        {
            _offered = null; // Its job may have called it lost: then the pool knows it again only when it offers itself.
        }

        _place = place;
        return changed;
    }

    private void Watch(TimeSpan due)
    {
        _dueAt = clock.GetTimestamp() + (long)(due.TotalSeconds * clock.TimestampFrequency);
        if (_lease is null)
        {
            _lease = this.RegisterGrainTimer(EndLease, due, Timeout.InfiniteTimeSpan);
        }
        else
        {
            _lease.Change(due, Timeout.InfiniteTimeSpan);
        }
    }

    private async Task EndLease()
    {
        var silent = clock.GetElapsedTime(_heardAt);
        if (silent < GonePeriod)
        {
            Watch(GonePeriod - silent);
            return;
        }

        if (clock.GetElapsedTime(_dueAt) > ClusterTiming.IdleHeartbeat)
        {
            Watch(ClusterTiming.IdleHeartbeat); // This silo itself was stopped or starved: first hear what has come in meanwhile.
            return;
        }

        try
        {
            await Pool.Gone(_holder!);
        }
        catch (Exception e)
        {
            LogPoolAway(e, Id, e.Message);
            Watch(ClusterTiming.IdleHeartbeat);
            return;
        }

        LogGone(Id, _holder!.ProcessId, silent.TotalSeconds);
        telemetry.LeaseEnded(isLost: true);
        _lease!.Dispose();
        (_holder, _offered, _bell, _lease) = (null, null, null, null);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Worker {Worker} is here: process {ProcessId}, {Host}:{Port}")]
    private partial void LogHere(string worker, int processId, string host, int port);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Worker {Worker} (process {ProcessId}) has been silent for {Seconds:f1} s and counts as gone")]
    private partial void LogGone(string worker, int processId, double seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Worker {Worker} is gone and the pool could not be told, which is tried again: {Problem}")]
    private partial void LogPoolAway(Exception exception, string worker, string problem);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Worker {Worker} does not hear its bell: {Problem}")]
    private partial void LogDeaf(string worker, string problem);
}
