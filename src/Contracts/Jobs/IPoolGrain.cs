namespace Cluster.Contracts.Jobs;

/// <summary>The workers and the queue of one pool, keyed by pool name. Jobs are placed first come, first served, all their workers at once.</summary>
[Alias("cluster.pool")]
public interface IPoolGrain : IGrainWithStringKey
{
    public const string Default = "default";

    /// <summary>This worker is there. Offering it again changes nothing. The answer is where it serves.</summary>
    [Alias("offer")]
    Task<WorkerPlace> Offer(WorkerInfo worker);

    /// <summary>
    /// The job wants so many workers. Asking again changes nothing, and makes the pool repeat a grant that was lost.
    /// The answer says in words where the job stands in the queue.
    /// </summary>
    [Alias("enqueue")]
    Task<string> Enqueue(string jobId, int workers);

    /// <summary>The job has ended: its workers are free again, or it leaves the queue. Harmless to repeat.</summary>
    [Alias("release")]
    Task Release(string jobId);

    [Alias("view")]
    Task<PoolView> View();
}
