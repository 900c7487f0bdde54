using System.Collections.Immutable;

namespace Cluster.Contracts.Jobs;

/// <summary>
/// The workers and the queue of one pool, keyed by pool name. Jobs are placed first come, first served: at least their minimum of
/// workers at once, and up to their maximum while workers are idle and no job waits.
/// </summary>
[Alias("cluster.pool")]
public interface IPoolGrain : IGrainWithStringKey
{
    public const string Default = "default";

    /// <summary>This worker is there. Offering it again changes nothing. The answer is where it serves.</summary>
    [Alias("offer")]
    Task<WorkerPlace> Offer(WorkerInfo worker);

    /// <summary>The worker's lease has ended: it is taken from its job and from the pool. Harmless to repeat.</summary>
    [Alias("gone")]
    Task Gone(WorkerInfo worker);

    /// <summary>
    /// The job wants so many workers. Asking again changes nothing, and makes the pool repeat a grant that was lost. The answer
    /// says in words where the job stands.
    /// </summary>
    /// <param name="grantVersion">Of the last grant that the job has; -1 for none.</param>
    /// <param name="sites">Workers of these sites serve the job too, beyond <paramref name="maxWorkers"/>; those of other sites never.</param>
    [Alias("enqueue")]
    Task<string> Enqueue(string jobId, int minWorkers, int maxWorkers, long grantVersion, ImmutableArray<string> sites);

    /// <summary>
    /// The job gives this worker back, having lost it. The pool takes it for gone until it offers itself again. Harmless to repeat.
    /// </summary>
    [Alias("return")]
    Task Return(string jobId, WorkerInfo worker);

    /// <summary>
    /// The job cannot use this worker although it lives: no peer reaches it. The pool takes it back and gives the job another;
    /// other jobs may get it. Harmless to repeat.
    /// </summary>
    [Alias("exclude")]
    Task Exclude(string jobId, WorkerInfo worker);

    /// <summary>The job wants no workers any more: its workers are free again, or it leaves the queue. Harmless to repeat.</summary>
    [Alias("release")]
    Task Release(string jobId);

    /// <summary>Takes the worker from its job at the end of a round, without loss, and gives it no other until it is undrained.</summary>
    /// <returns>False when no such worker is known.</returns>
    [Alias("drain")]
    Task<bool> Drain(string workerId);

    /// <returns>False when no such worker is known.</returns>
    [Alias("undrain")]
    Task<bool> Undrain(string workerId);

    [Alias("view")]
    Task<PoolView> View();
}
