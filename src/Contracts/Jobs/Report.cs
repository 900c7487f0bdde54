using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Cluster.Contracts.Federation;

namespace Cluster.Contracts.Jobs;

/// <summary>What one worker did for a job, since its last report or in total as each field says.</summary>
/// <remarks>A report that is sent twice counts once.</remarks>
/// <param name="Generation">The generation in which it computes, or did last; 0 before its first.</param>
/// <param name="Known">The newest generation whose assignment it holds; 0 while it holds none.</param>
/// <param name="IsReady">Data are read and the model is built: it can be a member of a generation.</param>
/// <param name="Round">Rounds committed in total.</param>
/// <param name="Rounds">Rounds of the job; 0 before <paramref name="IsReady"/>.</param>
/// <param name="LeavesComputed">Training leaves computed in this session.</param>
/// <param name="Samples">
/// From rank 0 alone: what it keeps of the rounds after <paramref name="SamplesAfter"/>, oldest first. Every rank keeps them, so
/// that the next rank 0 can tell what the last one could not; the job takes each round once.
/// </param>
/// <param name="Checkpoint">From rank 0 alone: path of the newest checkpoint that is safe on disk.</param>
/// <param name="Notices">
/// Things that a person should read, since the last report that was acknowledged. The job keeps the newest 200, each cut
/// to 1,000 characters; the same words count once.
/// </param>
/// <param name="Fault">Why <paramref name="Generation"/> was lost to it; null while it works. The worker waits for the next one.</param>
/// <param name="Outcome">How <paramref name="Generation"/> ended for it, or why it cannot be ready; null while it goes on.</param>
/// <param name="SamplesAfter">A job that does not know the samples up to this round takes none, and says what it knows.</param>
/// <param name="Session">Counts the times that this process took a job up, from 1.</param>
/// <param name="Version">Of the submission that it holds.</param>
[GenerateSerializer, Immutable, Alias("cluster.job-report")]
public sealed record JobReport(
    [property: Id(0)] string JobId,
    [property: Id(1)] long Generation,
    [property: Id(2)] long Known,
    [property: Id(3)] bool IsReady,
    [property: Id(4)] long Round,
    [property: Id(5)] long Rounds,
    [property: Id(6)] long LeavesComputed,
    [property: Id(7)] ImmutableArray<RoundSample> Samples,
    [property: Id(8)] string? Checkpoint,
    [property: Id(9)] ImmutableArray<string> Notices,
    [property: Id(10)] GenerationFault? Fault,
    [property: Id(11)] Outcome? Outcome,
    [property: Id(12)] long Session = 1,
    [property: Id(13)] long SamplesAfter = 0,
    [property: Id(14)] long Version = 0);

/// <summary>A collective of a generation was broken off.</summary>
/// <param name="LostWorker">Id of the member that is at fault as far as this one can see; null when it cannot say.</param>
/// <param name="Reason">In words, for people.</param>
/// <param name="MayGoOnWithout">
/// The others can do without <paramref name="LostWorker"/>. Not so where it came to another state from the same rounds: nobody
/// can say whose is right.
/// </param>
[GenerateSerializer, Immutable, Alias("cluster.generation-fault")]
public sealed record GenerationFault([property: Id(0)] string? LostWorker, [property: Id(1)] string Reason, [property: Id(2)] bool MayGoOnWithout = true);

/// <summary>One round, or one evaluation after it, as charts show it.</summary>
/// <param name="Round">Rounds committed when it was taken.</param>
/// <param name="IsEvaluation">Taken on the evaluation data after that round: at most one of each kind for a round.</param>
/// <param name="Seconds">Since the worker took the job up, on its own clock: for rates between two samples of one worker.</param>
/// <param name="SamplesSeen">Training samples since the job began.</param>
/// <param name="Skipped">Rounds skipped since the job began.</param>
/// <param name="Values">
/// By name: <c>loss</c>, <c>accuracy</c>, <c>lr</c>, <c>gradientNorm</c>, <c>evalLoss</c>, <c>evalAccuracy</c> (of several data sets
/// the means, and each as <c>evalLoss.NAME</c>), and what the method adds, such as <c>localEvalAccuracy</c> and its spread over the clients
/// of a federated job. At most 256 names of at most 96 characters.
/// </param>
[GenerateSerializer, Immutable, Alias("cluster.round-sample")]
public sealed record RoundSample(
    [property: Id(0)] long Round,
    [property: Id(1)] bool IsEvaluation,
    [property: Id(2)] double Seconds,
    [property: Id(3)] long SamplesSeen,
    [property: Id(4)] long Skipped,
    [property: Id(5)] ImmutableDictionary<string, double> Values)
{
    /// <summary>
    /// Of a round of a federated job, who took part and who did not: at most 32 of those that it asked, first those that gave it nothing. Null
    /// elsewhere, and where the sample is not among the newest 200 that the job had when it was stored.
    /// </summary>
    [Id(6), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ImmutableArray<ClientPart>? Clients { get; init; }
}

/// <summary>How a worker's part of a generation ended by itself: the loss of a peer is a <see cref="GenerationFault"/>.</summary>
/// <param name="State">Succeeded, Failed, or Cancelled when it was asked to stop.</param>
/// <param name="Reason">In words, for people; required for Failed.</param>
/// <param name="WeightsSha256">Of this rank's parameters, 64 lower-case hex digits: all ranks must agree, or the job fails.</param>
/// <param name="Environment">What the answer may depend on: processor, libraries, versions.</param>
/// <param name="IsShared">All ranks come to this end together, after the same round: the job ends when the last has said so.</param>
[GenerateSerializer, Immutable, Alias("cluster.outcome")]
public sealed record Outcome(
    [property: Id(0)] JobState State,
    [property: Id(1)] string? Reason,
    [property: Id(2)] string? WeightsSha256,
    [property: Id(3)] ImmutableDictionary<string, string> Environment,
    [property: Id(4)] bool IsShared = true);
