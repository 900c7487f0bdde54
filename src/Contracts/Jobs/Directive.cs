using System.Collections.Immutable;

namespace Cluster.Contracts.Jobs;

/// <summary>What a worker should be doing.</summary>
[GenerateSerializer, Immutable, Alias("cluster.directive")]
public abstract record Directive
{
    private Directive() { }

    /// <summary>Nothing: drop whatever job you hold.</summary>
    [GenerateSerializer, Immutable, Alias("cluster.directive.idle")]
    public sealed record Idle([property: Id(0)] string Reason) : Directive;

    /// <summary>
    /// Compute this assignment until it is done; <paramref name="Stop"/> says to end it at a checkpoint. A worker that has
    /// reported its outcome hears the same until all have: it has nothing more to do.
    /// </summary>
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
