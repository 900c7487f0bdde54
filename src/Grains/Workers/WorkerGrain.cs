using Cluster.Contracts.Jobs;

namespace Cluster.Grains.Workers;

/// <summary>
/// Stands between one worker and its job. Keeps nothing that must survive: the pool knows where the worker serves, and
/// the job knows what it should do there.
/// </summary>
internal sealed class WorkerGrain(TimeProvider clock) : Grain, IWorkerGrain
{
    /// <summary>An idle worker asks the pool again so often, in case the pool's message was lost. Busy ones never do.</summary>
    private static readonly TimeSpan OfferPeriod = TimeSpan.FromSeconds(10);

    private WorkerInfo? _offered;
    private long _offeredAt;
    private WorkerPlace _place = new(JobId: null, Version: -1);
    private bool _idle = true;

    private string Id => this.GetPrimaryKeyString();

    public async Task<Directive> Heartbeat(WorkerInfo worker, JobReport? report)
    {
        WorkerRules.Check(Id, worker);
        if (worker != _offered || (_idle && clock.GetElapsedTime(_offeredAt) > OfferPeriod))
        {
            Take(await GrainFactory.GetGrain<IPoolGrain>(IPoolGrain.Default).Offer(worker));
            _offered = worker;
            _offeredAt = clock.GetTimestamp();
        }

        if (report is not null && report.JobId != _place.JobId && Names.IsId(report.JobId))
        {
            // The job was taken from this worker, but what it did there still belongs in the job's record.
            await GrainFactory.GetGrain<IJobGrain>(report.JobId).Report(Id, report);
        }

        var directive = _place.JobId is { } jobId
            ? await GrainFactory.GetGrain<IJobGrain>(jobId).Report(Id, report?.JobId == jobId ? report : null)
            : new Directive.Idle("no job needs this worker");
        _idle = directive is Directive.Idle;
        return directive;
    }

    public Task Assign(WorkerPlace place)
    {
        Take(place);
        return Task.CompletedTask;
    }

    /// <summary>Messages of the pool may overtake each other: the newest holds.</summary>
    private void Take(WorkerPlace place)
    {
        if (place.Version >= _place.Version)
        {
            _place = place;
        }
    }
}
