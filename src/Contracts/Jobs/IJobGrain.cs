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
/// Awaited calls go one way only: worker, then job, then pool and index; and from a trunk to its branches. The pool speaks to the others with messages that nobody
/// awaits (<see cref="OneWayAttribute"/>), so no two grains can wait for each other; a lost one is made good by the next
/// <see cref="IPoolGrain.Offer"/> or <see cref="IPoolGrain.Enqueue"/>.
/// </para>
/// </remarks>
[Alias("cluster.job")]
public interface IJobGrain : IGrainWithStringKey
{
    /// <summary>
    /// Accepts the job. Submitting the same job again changes nothing; another one under the same id is refused. When it
    /// returns, the job is durable, in the index, and driven on after any restart.
    /// </summary>
    [Alias("submit")]
    Task<SubmitResult> Submit(JobSubmission submission);

    /// <summary>What people see. Round samples with a number above <paramref name="afterSample"/>, oldest first, at most 500.</summary>
    [Alias("view")]
    Task<JobView> View(long afterSample);

    /// <summary>The curves from the job's beginning, down-sampled.</summary>
    [Alias("metrics")]
    Task<MetricsView> Metrics();

    /// <summary>The job in one line, for lists.</summary>
    [Alias("summary")]
    Task<JobSummary> Summary();

    /// <summary>Asks the job to end at a checkpoint. It ends as Cancelled once its workers have done so.</summary>
    /// <returns>Why it cannot be, in words; null when it will be. So do the next two.</returns>
    [Alias("stop")]
    Task<string?> Stop(string reason);

    /// <summary>Asks the job to stop at a checkpoint and give its workers back, until it is resumed.</summary>
    [Alias("pause")]
    Task<string?> Pause(string reason);

    /// <summary>A job that is Paused, Failed or Cancelled waits for workers again and goes on from its newest checkpoint.</summary>
    [Alias("resume")]
    Task<string?> Resume();

    /// <summary>
    /// One more stage or release for a continual job. When it answers with an order, that is durable, and the job takes it up at the
    /// end of a round: it stops at a checkpoint and goes on with the longer spec.
    /// </summary>
    /// <param name="text">YAML of the stage or release, at most <see cref="Spec.Continual.SpecExtension.MaxBytes"/>.</param>
    /// <param name="dataRoots">Folders in which a stage's relative paths are looked for after those of the job; at most 32.</param>
    [Alias("order")]
    Task<OrderResult> Order(OrderKind kind, string text, ImmutableArray<string> dataRoots);

    /// <summary>Ends the job as Failed, for a reason that only the caller sees (such as worker processes that cannot start).</summary>
    [Alias("fail")]
    Task Fail(string reason);

    /// <summary>From the pool: these, and no others, are the job's workers now. An older version than the one known is ignored.</summary>
    [Alias("grant"), OneWay]
    Task Grant(ImmutableArray<WorkerInfo> workers, long version);

    /// <summary>From one of the job's workers, through its worker grain: what it has done. The answer is what it should be doing.</summary>
    [Alias("report")]
    Task<Directive> Report(WorkerInfo worker, JobReport? report);
}

/// <summary>Which jobs there are, newest first. One grain, keyed by <see cref="Default"/>.</summary>
[Alias("cluster.job-index")]
public interface IJobIndexGrain : IGrainWithStringKey
{
    public const string Default = "default";

    /// <summary>The job exists. Durable when it returns; harmless to repeat.</summary>
    [Alias("add")]
    Task Add(string jobId);

    /// <summary>At most <paramref name="count"/> (1 to 500) ids, newest first, after skipping so many.</summary>
    [Alias("list")]
    Task<JobIdPage> List(int skip, int count);
}
