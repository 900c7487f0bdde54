using System.Collections.Immutable;
using Orleans.Concurrency;

namespace Cluster.Contracts.Jobs;

/// <summary>
/// One job, keyed by its id. It decides what the job's workers should be doing; it never sees a tensor.
/// </summary>
/// <remarks>
/// Why this shape: workers are told levels, not edges. A worker reports what is, and the answer is what should be
/// (<see cref="Directive"/>), so a lost message costs one heartbeat and never a command. Every report and every directive
/// carries the generation, so a late one is recognised and refused.
/// <para>
/// Awaited calls go one way only: worker, then job, then pool. The pool speaks to the others with messages that nobody
/// awaits (<see cref="OneWayAttribute"/>), so no two grains can wait for each other; a lost one is made good by the next
/// <see cref="IPoolGrain.Offer"/> or <see cref="IPoolGrain.Enqueue"/>.
/// </para>
/// </remarks>
[Alias("cluster.job")]
public interface IJobGrain : IGrainWithStringKey
{
    /// <summary>Accepts the job. Submitting the same job again changes nothing; another one under the same id is refused.</summary>
    [Alias("submit")]
    Task<SubmitResult> Submit(JobSubmission submission);

    /// <summary>What people see. Round samples with a number above <paramref name="afterSample"/>, oldest first, at most 500.</summary>
    [Alias("view")]
    Task<JobView> View(long afterSample);

    /// <summary>Asks the job to end at a checkpoint. It ends as Cancelled once its workers have done so.</summary>
    [Alias("stop")]
    Task Stop(string reason);

    /// <summary>Ends the job as Failed, for a reason that only the caller sees (such as a worker process that exited).</summary>
    [Alias("fail")]
    Task Fail(string reason);

    /// <summary>From the pool: these workers are the job's now. May come more than once.</summary>
    [Alias("grant"), OneWay]
    Task Grant(ImmutableArray<WorkerInfo> workers);

    /// <summary>From one of the job's workers, through its worker grain: what it has done. The answer is what it should be doing.</summary>
    [Alias("report")]
    Task<Directive> Report(string workerId, JobReport? report);
}
