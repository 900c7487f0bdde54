namespace Cluster.Contracts.Jobs;

/// <summary>
/// One job, keyed by its id. It decides what the job's workers should be doing; it never sees a tensor.
/// </summary>
/// <remarks>
/// Why this shape: workers are told levels, not edges. A worker reports what is, and the answer is what should be
/// (<see cref="Directive"/>), so a lost message costs one heartbeat and never a command. Every report and every directive
/// carries the generation, so a late one is recognised and refused.
/// </remarks>
[Alias("cluster.job")]
public interface IJobGrain : IGrainWithStringKey
{
    /// <summary>Accepts the job. Submitting the same job again returns the view and changes nothing; another one under the same id is refused.</summary>
    [Alias("submit")]
    Task<SubmitResult> Submit(JobSubmission submission);

    /// <summary>What people see. Round samples with a number above <paramref name="afterSample"/>, oldest first, bounded in number.</summary>
    [Alias("view")]
    Task<JobView> View(long afterSample);

    /// <summary>Asks the job to end at a checkpoint. It ends as Cancelled once its workers have done so.</summary>
    [Alias("stop")]
    Task Stop(string reason);

    /// <summary>Ends the job as Failed, for a reason that only the caller sees (such as a worker process that exited).</summary>
    [Alias("fail")]
    Task Fail(string reason);

    /// <summary>From the pool: these workers are the job's now.</summary>
    [Alias("grant")]
    Task Grant(IReadOnlyList<WorkerInfo> workers);

    /// <summary>From one of the job's workers, through its worker grain: what it has done. The answer is what it should be doing.</summary>
    [Alias("report")]
    Task<Directive> Report(string workerId, JobReport? report);
}

/// <summary>One worker process, keyed by worker id: what it has, and which job it serves.</summary>
[Alias("cluster.worker")]
public interface IWorkerGrain : IGrainWithStringKey
{
    /// <summary>Called by the worker every second or so, and at once after a round that changed something.</summary>
    [Alias("heartbeat")]
    Task<Directive> Heartbeat(WorkerInfo worker, JobReport? report);

    /// <summary>From the pool: this worker serves that job now, or none.</summary>
    [Alias("assign")]
    Task Assign(string? jobId);
}

/// <summary>The workers and the queue of one pool, keyed by pool name. Jobs are placed first come, first served, all their workers at once.</summary>
[Alias("cluster.pool")]
public interface IPoolGrain : IGrainWithStringKey
{
    public const string Default = "default";

    [Alias("offer")]
    Task Offer(WorkerInfo worker);

    [Alias("enqueue")]
    Task Enqueue(string jobId, int workers);

    /// <summary>The job has ended: its workers are free again, or it leaves the queue.</summary>
    [Alias("release")]
    Task Release(string jobId);

    [Alias("view")]
    Task<PoolView> View();
}
