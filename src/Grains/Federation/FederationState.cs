using System.Collections.Immutable;
using Cluster.Contracts.Federation;

namespace Cluster.Grains.Federation;

/// <summary>What must not be forgotten of who was missing. Bounded, whatever the length of the job.</summary>
[GenerateSerializer, Immutable, Alias("cluster.federation-state")]
internal sealed record FederationState
{
    /// <summary>The newest that has begun.</summary>
    [Id(0)] public long Generation { get; init; }

    /// <summary>By round, ascending.</summary>
    [Id(1)] public ImmutableArray<RoundAbsences> Rounds { get; init; } = [];

    /// <summary>Records of rounds up to this one are kept no more.</summary>
    [Id(2)] public long ForgottenThrough { get; init; }

    /// <summary>Rounds that did without somebody, those forgotten included.</summary>
    [Id(3)] public long Recorded { get; init; }

    [Id(4)] public long Revised { get; init; }

    [Id(5)] public ImmutableSortedDictionary<string, MissedRounds> Clients { get; init; } = ImmutableSortedDictionary.Create<string, MissedRounds>(StringComparer.Ordinal);
}

/// <summary>The next state and why, in words. The same instance means that nothing changed.</summary>
/// <param name="IsFenced">It came from a generation that is dead.</param>
internal readonly record struct FederationStep(FederationState State, string Reason, bool IsFenced = false);
