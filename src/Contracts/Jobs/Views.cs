using System.Collections.Immutable;

namespace Cluster.Contracts.Jobs;

/// <summary>A job as people see it.</summary>
/// <param name="Reason">Why it is in this state, in words.</param>
/// <param name="Samples">Those asked for, oldest first.</param>
/// <param name="LastSample">Number of the newest sample in <paramref name="Samples"/>, or the one asked with; pass it to the next call.</param>
/// <param name="Metrics">The newest value of each name.</param>
/// <param name="SamplesPerSecond">Training samples a second between this generation's first and newest sample; 0 while there are not two.</param>
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
    [property: Id(17)] double SamplesPerSecond = 0);

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
