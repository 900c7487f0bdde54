using Orleans.Concurrency;

namespace Cluster.Contracts.Jobs;

/// <summary>One worker process, keyed by worker id: its lease on that name, and which job it serves.</summary>
[Alias("cluster.worker")]
public interface IWorkerGrain : IGrainWithStringKey
{
    /// <summary>
    /// Called by the worker several times a second while it has a job, once a second or so while it has none, and at once after
    /// something that should not wait. The first call registers the worker; its lease ends when it has not called for
    /// <see cref="ClusterTiming.Lease"/>. When the call returns, <paramref name="report"/> counts as acknowledged; when it
    /// throws, send it again.
    /// </summary>
    /// <param name="bell">Rung when there is news; kept until the next call brings another.</param>
    [Alias("heartbeat")]
    Task<Directive> Heartbeat(WorkerInfo worker, JobReport? report, IWorkerBell bell);

    /// <summary>From the pool: where this worker serves now. An older version than the one known is ignored.</summary>
    [Alias("assign"), OneWay]
    Task Assign(WorkerPlace place);

    /// <summary>From the job: there is news for this worker.</summary>
    [Alias("ring"), OneWay]
    Task Ring();

    /// <summary>
    /// From the job, which has not heard from this worker for a lease: whether it is lost to it. Not while this grain itself has
    /// listened for less than a lease, as after its silo died and it came up in another.
    /// </summary>
    [Alias("has-lost"), AlwaysInterleave]
    Task<bool> HasLost(WorkerInfo worker, string jobId);
}

/// <summary>In the worker's process: a hint that a heartbeat would bring news. One that is lost costs one heartbeat interval.</summary>
[Alias("cluster.worker-bell")]
public interface IWorkerBell : IGrainObserver
{
    [Alias("ring"), OneWay]
    Task Ring();
}

/// <summary>The times on which workers and control plane rely on both sides.</summary>
public static class ClusterTiming
{
    /// <summary>A worker that is silent for so long is lost to its job; its name is free again.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(3);

    /// <summary>Between the heartbeats of a worker that has a job.</summary>
    public static readonly TimeSpan BusyHeartbeat = TimeSpan.FromMilliseconds(250);

    /// <summary>Between the heartbeats of one that has none; news rings its bell.</summary>
    public static readonly TimeSpan IdleHeartbeat = TimeSpan.FromSeconds(1);
}
