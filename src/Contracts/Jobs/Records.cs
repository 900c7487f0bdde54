using System.Collections.Immutable;

namespace Cluster.Contracts.Jobs;

/// <summary>Where a job stands. Succeeded, Failed and Cancelled are final.</summary>
public enum JobState
{
    Unknown = 0,

    /// <summary>In the queue until the pool has workers for it.</summary>
    Waiting,

    Running,

    /// <summary>Asked to stop: its workers end at a checkpoint.</summary>
    Stopping,

    Succeeded,

    Failed,

    Cancelled,
}

/// <param name="SpecText">The effective spec as YAML, overrides applied: at most 1 MiB.</param>
/// <param name="SpecHash">Hash of what determines the answer.</param>
/// <param name="Directory">The job's folder under the store root, as the workers see it.</param>
/// <param name="DataRoots">Folders in which relative data paths are looked for, in order.</param>
/// <param name="Workers">How many workers compute the job.</param>
/// <param name="Resume">Go on from the newest intact checkpoint in <paramref name="Directory"/>.</param>
[GenerateSerializer, Immutable, Alias("cluster.submission")]
public sealed record JobSubmission(
    [property: Id(0)] string SpecText,
    [property: Id(1)] string SpecHash,
    [property: Id(2)] string Directory,
    [property: Id(3)] ImmutableArray<string> DataRoots,
    [property: Id(4)] int Workers,
    [property: Id(5)] bool Resume);

/// <param name="Refusal">Why the job was not taken, in words; null when it was.</param>
[GenerateSerializer, Immutable, Alias("cluster.submit-result")]
public sealed record SubmitResult([property: Id(0)] string? Refusal);

/// <summary>A worker process and where its peers reach it.</summary>
/// <param name="Id">Unique for the life of the process.</param>
/// <param name="Host">Address on which the data plane listens.</param>
/// <param name="Port">Its port, chosen by the system.</param>
/// <param name="Gpus">GPUs that the process can use.</param>
/// <param name="MemoryBytes">Memory of the machine, or the limit of its container.</param>
[GenerateSerializer, Immutable, Alias("cluster.worker-info")]
public sealed record WorkerInfo(
    [property: Id(0)] string Id,
    [property: Id(1)] int ProcessId,
    [property: Id(2)] string Host,
    [property: Id(3)] int Port,
    [property: Id(4)] int Cores,
    [property: Id(5)] int Gpus,
    [property: Id(6)] long MemoryBytes);

/// <summary>What a worker should be doing.</summary>
[GenerateSerializer, Immutable, Alias("cluster.directive")]
public abstract record Directive
{
    private Directive() { }

    /// <summary>Nothing: drop whatever job you hold.</summary>
    [GenerateSerializer, Immutable, Alias("cluster.directive.idle")]
    public sealed record Idle([property: Id(0)] string Reason) : Directive;

    /// <summary>Compute this assignment until it is done; <paramref name="Stop"/> says to end it at a checkpoint.</summary>
    [GenerateSerializer, Immutable, Alias("cluster.directive.train")]
    public sealed record Train([property: Id(0)] Assignment Assignment, [property: Id(1)] bool Stop) : Directive;
}

/// <summary>One rank's part of one generation: a fixed list of members, agreed for as long as it lasts.</summary>
/// <param name="Generation">Fencing number, from 1; every frame on the data plane carries it.</param>
/// <param name="Rank">Index of this worker in <paramref name="Members"/>.</param>
/// <param name="Secret">32 random bytes that open a data-plane connection of this generation. Never logged.</param>
[GenerateSerializer, Immutable, Alias("cluster.assignment")]
public sealed record Assignment(
    [property: Id(0)] string JobId,
    [property: Id(1)] long Generation,
    [property: Id(2)] int Rank,
    [property: Id(3)] ImmutableArray<WorkerInfo> Members,
    [property: Id(4)] ImmutableArray<byte> Secret,
    [property: Id(5)] JobSubmission Submission)
{
    public override string ToString() => $"{JobId} generation {Generation} rank {Rank} of {Members.Length}"; // Without the secret.
}

/// <summary>What one worker did for one generation of a job, since its last report or in total as each field says.</summary>
/// <param name="Round">Rounds committed in total.</param>
/// <param name="Rounds">Rounds of the job.</param>
/// <param name="LeavesComputed">Training leaves that this worker computed, in total.</param>
/// <param name="Samples">From rank 0 alone: rounds since the last report that was acknowledged, oldest first.</param>
/// <param name="Checkpoint">From rank 0 alone: path of the newest checkpoint that is safe on disk.</param>
/// <param name="Notices">Things that a person should read, since the last report that was acknowledged.</param>
/// <param name="Outcome">How it ended; null while it goes on.</param>
[GenerateSerializer, Immutable, Alias("cluster.job-report")]
public sealed record JobReport(
    [property: Id(0)] string JobId,
    [property: Id(1)] long Generation,
    [property: Id(2)] int Rank,
    [property: Id(3)] long Round,
    [property: Id(4)] long Rounds,
    [property: Id(5)] long LeavesComputed,
    [property: Id(6)] ImmutableArray<RoundSample> Samples,
    [property: Id(7)] string? Checkpoint,
    [property: Id(8)] ImmutableArray<string> Notices,
    [property: Id(9)] Outcome? Outcome);

/// <summary>One round, or one evaluation after it, as charts show it.</summary>
/// <param name="Round">Rounds committed when it was taken.</param>
/// <param name="Seconds">Since the generation began, on rank 0's clock.</param>
/// <param name="SamplesSeen">Training samples since the job began.</param>
/// <param name="Skipped">Rounds skipped since the job began.</param>
/// <param name="Values">By name: <c>loss</c>, <c>accuracy</c>, <c>lr</c>, <c>gradientNorm</c>, <c>evalLoss</c>, <c>evalAccuracy</c>, and what the method adds.</param>
[GenerateSerializer, Immutable, Alias("cluster.round-sample")]
public sealed record RoundSample(
    [property: Id(0)] long Round,
    [property: Id(1)] double Seconds,
    [property: Id(2)] long SamplesSeen,
    [property: Id(3)] long Skipped,
    [property: Id(4)] ImmutableDictionary<string, double> Values);

/// <summary>How a worker's part of a job ended.</summary>
/// <param name="State">Succeeded, Failed, or Cancelled when it was asked to stop.</param>
/// <param name="Reason">In words, for people; required for Failed.</param>
/// <param name="WeightsSha256">Of this rank's parameters: all ranks must agree, or the job fails.</param>
/// <param name="Environment">What the answer may depend on: processor, libraries, versions.</param>
[GenerateSerializer, Immutable, Alias("cluster.outcome")]
public sealed record Outcome(
    [property: Id(0)] JobState State,
    [property: Id(1)] string? Reason,
    [property: Id(2)] string? WeightsSha256,
    [property: Id(3)] ImmutableDictionary<string, string> Environment);

/// <summary>A job as people see it.</summary>
/// <param name="Reason">Why it is in this state, in words.</param>
/// <param name="Samples">Those asked for, oldest first.</param>
/// <param name="LastSample">Number of the newest sample; pass it to the next call.</param>
/// <param name="Metrics">The newest value of each name.</param>
[GenerateSerializer, Immutable, Alias("cluster.job-view")]
public sealed record JobView(
    [property: Id(0)] string JobId,
    [property: Id(1)] JobState State,
    [property: Id(2)] string Reason,
    [property: Id(3)] long Generation,
    [property: Id(4)] int Recoveries,
    [property: Id(5)] long Round,
    [property: Id(6)] long Rounds,
    [property: Id(7)] long SamplesSeen,
    [property: Id(8)] long SkippedRounds,
    [property: Id(9)] string? Checkpoint,
    [property: Id(10)] string? WeightsSha256,
    [property: Id(11)] ImmutableArray<JobWorkerView> Workers,
    [property: Id(12)] ImmutableDictionary<string, double> Metrics,
    [property: Id(13)] ImmutableDictionary<string, string> Environment,
    [property: Id(14)] ImmutableArray<RoundSample> Samples,
    [property: Id(15)] long LastSample,
    [property: Id(16)] ImmutableArray<string> Notices);

[GenerateSerializer, Immutable, Alias("cluster.job-worker-view")]
public sealed record JobWorkerView(
    [property: Id(0)] string Id,
    [property: Id(1)] int ProcessId,
    [property: Id(2)] int Rank,
    [property: Id(3)] long LeavesComputed,
    [property: Id(4)] long Round);

[GenerateSerializer, Immutable, Alias("cluster.pool-view")]
public sealed record PoolView(
    [property: Id(0)] ImmutableArray<WorkerInfo> Idle,
    [property: Id(1)] ImmutableArray<string> QueuedJobs,
    [property: Id(2)] ImmutableArray<string> RunningJobs);
