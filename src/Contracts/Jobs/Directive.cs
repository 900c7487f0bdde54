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

    /// <summary>Make ready to join this job (read the data, build the model), and report that you are.</summary>
    [GenerateSerializer, Immutable, Alias("cluster.directive.prepare")]
    public sealed record Prepare([property: Id(0)] string JobId, [property: Id(1)] JobSubmission Submission) : Directive;

    /// <summary>
    /// Compute this assignment. A worker that is in an older generation of the job changes to it when its ranks agree on
    /// that, after the same round; where <see cref="Assignment.IsRecovery"/> is set, it gives the older one up at once.
    /// </summary>
    [GenerateSerializer, Immutable, Alias("cluster.directive.train")]
    public sealed record Train([property: Id(0)] Assignment Assignment, [property: Id(1)] bool Stop) : Directive;

    /// <summary>
    /// What you report is what you should be doing. <paramref name="Stop"/> says to end at a checkpoint. A worker that has
    /// reported its outcome holds its state until it hears otherwise: another generation may need it.
    /// </summary>
    /// <param name="AbsorbedRound">Samples up to this round need not be told again, unless a later answer goes back behind it.</param>
    /// <param name="StoredRound">Samples up to this round are safe: no worker needs them any more.</param>
    [GenerateSerializer, Immutable, Alias("cluster.directive.continue")]
    public sealed record Continue([property: Id(0)] bool Stop, [property: Id(1)] long AbsorbedRound, [property: Id(2)] long StoredRound) : Directive;
}

/// <summary>One rank's part of one generation: a fixed list of members, agreed for as long as it lasts.</summary>
/// <param name="Generation">Fencing number, from 1; every frame on the data plane carries it.</param>
/// <param name="Rank">Index of this worker in <paramref name="Members"/>.</param>
/// <param name="Secret">32 random bytes that open a data-plane connection of this generation. Never logged.</param>
/// <param name="IsRecovery">
/// The generation before was lost: give it up at once. Otherwise members have only joined or left, and the ranks change over
/// together at the end of a round.
/// </param>
[GenerateSerializer, Immutable, Alias("cluster.assignment")]
public sealed record Assignment(
    [property: Id(0)] string JobId,
    [property: Id(1)] long Generation,
    [property: Id(2)] int Rank,
    [property: Id(3)] ImmutableArray<WorkerInfo> Members,
    [property: Id(4)] ImmutableArray<byte> Secret,
    [property: Id(5)] JobSubmission Submission,
    [property: Id(6)] bool IsRecovery)
{
    public override string ToString() => $"{JobId} generation {Generation} rank {Rank} of {Members.Length}"; // Without the secret.
}
