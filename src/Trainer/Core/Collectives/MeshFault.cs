namespace Cluster.Trainer.Core.Collectives;

internal enum FaultKind
{
    Unknown = 0,

    /// <summary>The peer closed the connection, or its process ended.</summary>
    Closed,

    /// <summary>The peer made no progress before the deadline.</summary>
    Silent,

    /// <summary>A frame was not the one that is due, or its hash does not match.</summary>
    Corrupt,

    /// <summary>The peer has come to another state from the same rounds.</summary>
    Differs,

    /// <summary>The peer could not be reached before the deadline.</summary>
    Unreachable,

    /// <summary>The peer refused the handshake.</summary>
    Refused,

    /// <summary>This process gave the mesh up.</summary>
    Aborted,
}

/// <summary>Why a mesh can no longer be used.</summary>
/// <param name="Rank">The peer that is at fault; null when this process aborted.</param>
/// <param name="Reason">In words.</param>
internal sealed record MeshFault(FaultKind Kind, int? Rank, string Reason);

/// <summary>A collective ended without a result. Its inputs are unchanged; the mesh must be disposed and another one built.</summary>
internal sealed class MeshFaultException(MeshFault fault)
    : Exception(fault.Rank is { } rank ? $"rank {rank}: {fault.Reason}" : fault.Reason)
{
    public MeshFault Fault { get; } = fault;
}
