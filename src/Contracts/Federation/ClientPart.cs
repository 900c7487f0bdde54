namespace Cluster.Contracts.Federation;

/// <summary>What a client that a round asked gave it.</summary>
public enum PartKind
{
    None = 0,

    /// <summary>Its change is in the round's mean.</summary>
    TookPart = 1,

    /// <summary>The deadline came before the end of its local steps.</summary>
    Late = 2,

    /// <summary>Nobody could compute it: its site was not there.</summary>
    Absent = 3,

    /// <summary>Its loss or its change was not finite, and it was left out.</summary>
    LeftOut = 4,
}

/// <summary>One client's part in one round.</summary>
/// <param name="Client">Its name, at most 96 characters.</param>
[GenerateSerializer, Immutable, Alias("cluster.client-part")]
public readonly record struct ClientPart([property: Id(0)] string Client, [property: Id(1)] PartKind Kind);
