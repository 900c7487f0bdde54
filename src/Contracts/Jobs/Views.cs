using System.Collections.Immutable;

namespace Cluster.Contracts.Jobs;

/// <summary>A job as people see it.</summary>
/// <param name="Reason">Why it is in this state, in words.</param>
/// <param name="Recoveries">Generations that were lost: to workers that went, or to connections that broke.</param>
/// <param name="Workers">
/// Its workers now, by rank, then those that computed for it before (rank -1), in the order in which they came.
/// </param>
/// <param name="Samples">Those asked for, oldest first.</param>
/// <param name="LastSample">Number of the newest sample in <paramref name="Samples"/>, or the one asked with; pass it to the next call.</param>
/// <param name="Metrics">The newest value of each name.</param>
/// <param name="Events">What happened to it, oldest first, the newest 200: changes of state and of membership, and why.</param>
/// <param name="SamplesPerSecond">Training samples a second over what rank 0 has told since it last changed; 0 while that is too short.</param>
/// <param name="Submission">With the orders taken so far. Null while Unknown.</param>
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
    [property: Id(16)] ImmutableArray<string> Notices,
    [property: Id(17)] ImmutableArray<JobEvent> Events,
    [property: Id(18)] double SamplesPerSecond,
    [property: Id(19)] JobSubmission? Submission)
{
    /// <summary>What was asked of it since it was submitted, and what became of that; oldest first.</summary>
    [Id(20)] public ImmutableArray<JobOrder> Orders { get; init; } = [];

    /// <summary>Jobs in which its releases anneal apart, from when the trunk has come past their forks; in that order.</summary>
    [Id(21)] public ImmutableArray<BranchView> Branches { get; init; } = [];
}

/// <param name="JobId">The release's own job.</param>
/// <param name="Refusal">Why there is no such job, in words; null otherwise.</param>
[GenerateSerializer, Immutable, Alias("cluster.branch-view")]
public sealed record BranchView([property: Id(0)] string Release, [property: Id(1)] string JobId, [property: Id(2)] string? Refusal);

/// <param name="Rank">In the newest generation; -1 when it is not in it.</param>
[GenerateSerializer, Immutable, Alias("cluster.job-worker-view")]
public sealed record JobWorkerView(
    [property: Id(0)] string Id,
    [property: Id(1)] int ProcessId,
    [property: Id(2)] int Rank,
    [property: Id(3)] long LeavesComputed,
    [property: Id(4)] long Round);

/// <param name="Time">When the control plane noted it, UTC; for people, nothing is decided by it.</param>
/// <param name="Text">In words, at most 1,000 characters.</param>
[GenerateSerializer, Immutable, Alias("cluster.job-event")]
public sealed record JobEvent([property: Id(0)] DateTime Time, [property: Id(1)] long Generation, [property: Id(2)] JobState State, [property: Id(3)] string Text)
{
    /// <summary>Rounds committed by then, as far as the control plane knew.</summary>
    [Id(4)] public long Round { get; init; }

    /// <summary>A generation was lost, and another took its place.</summary>
    [Id(5)] public bool IsRecovery { get; init; }
}

/// <param name="Workers">Members of the newest generation.</param>
[GenerateSerializer, Immutable, Alias("cluster.job-summary")]
public sealed record JobSummary(
    [property: Id(0)] string JobId,
    [property: Id(1)] JobState State,
    [property: Id(2)] string Reason,
    [property: Id(3)] long Round,
    [property: Id(4)] long Rounds,
    [property: Id(5)] int Workers,
    [property: Id(6)] DateTime Submitted);

/// <param name="Total">How many jobs there are.</param>
[GenerateSerializer, Immutable, Alias("cluster.job-id-page")]
public sealed record JobIdPage([property: Id(0)] ImmutableArray<string> Ids, [property: Id(1)] long Total);

[GenerateSerializer, Immutable, Alias("cluster.pool-view")]
public sealed record PoolView(
    [property: Id(0)] ImmutableArray<PoolWorkerView> Workers,
    [property: Id(1)] ImmutableArray<string> QueuedJobs,
    [property: Id(2)] ImmutableArray<string> RunningJobs);

/// <param name="JobId">The job it serves; null when idle.</param>
/// <param name="IsDraining">It gets no work until it is undrained.</param>
[GenerateSerializer, Immutable, Alias("cluster.pool-worker-view")]
public sealed record PoolWorkerView([property: Id(0)] WorkerInfo Worker, [property: Id(1)] string? JobId, [property: Id(2)] bool IsDraining);
