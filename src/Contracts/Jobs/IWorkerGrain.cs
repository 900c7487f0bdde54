using Orleans.Concurrency;

namespace Cluster.Contracts.Jobs;

/// <summary>One worker process, keyed by worker id: what it has, and which job it serves.</summary>
[Alias("cluster.worker")]
public interface IWorkerGrain : IGrainWithStringKey
{
    /// <summary>
    /// Called by the worker every second or so, and at once after a round that changed something. The first call registers
    /// the worker. When it returns, <paramref name="report"/> counts as acknowledged; when it throws, send it again.
    /// </summary>
    [Alias("heartbeat")]
    Task<Directive> Heartbeat(WorkerInfo worker, JobReport? report);

    /// <summary>From the pool: where this worker serves now. An older version than the one known is ignored.</summary>
    [Alias("assign"), OneWay]
    Task Assign(WorkerPlace place);
}
