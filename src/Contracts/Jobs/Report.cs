using System.Collections.Immutable;

namespace Cluster.Contracts.Jobs;

/// <summary>What one worker did for one generation of a job, since its last report or in total as each field says.</summary>
/// <remarks>A report of another generation changes nothing, and one that is sent twice counts once.</remarks>
/// <param name="Round">Rounds committed in total.</param>
/// <param name="Rounds">Rounds of the job.</param>
/// <param name="LeavesComputed">Training leaves that this worker computed, in total.</param>
/// <param name="Samples">From rank 0 alone: rounds since the last report that was acknowledged, oldest first.</param>
/// <param name="Checkpoint">From rank 0 alone: path of the newest checkpoint that is safe on disk.</param>
/// <param name="Notices">
/// Things that a person should read, since the last report that was acknowledged. The job keeps the newest 200, each cut
/// to 1,000 characters; the same words count once.
/// </param>
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
/// <param name="Seconds">
/// Since the generation began, on rank 0's clock. Rises from each sample to the next: one that does not is a repetition
/// and is dropped.
/// </param>
/// <param name="SamplesSeen">Training samples since the job began.</param>
/// <param name="Skipped">Rounds skipped since the job began.</param>
/// <param name="Values">
/// By name: <c>loss</c>, <c>accuracy</c>, <c>lr</c>, <c>gradientNorm</c>, <c>evalLoss</c>, <c>evalAccuracy</c>, and what the
/// method adds. At most 64 names of at most 64 characters.
/// </param>
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
/// <param name="WeightsSha256">Of this rank's parameters, 64 lower-case hex digits: all ranks must agree, or the job fails.</param>
/// <param name="Environment">What the answer may depend on: processor, libraries, versions.</param>
/// <param name="LostPeer">The rank whose loss ended this one, or that ends for the same reason and knows more: it may say itself what happened.</param>
[GenerateSerializer, Immutable, Alias("cluster.outcome")]
public sealed record Outcome(
    [property: Id(0)] JobState State,
    [property: Id(1)] string? Reason,
    [property: Id(2)] string? WeightsSha256,
    [property: Id(3)] ImmutableDictionary<string, string> Environment,
    [property: Id(4)] int? LostPeer = null);
