using Cluster.Trainer.Core.State;

namespace Cluster.Trainer.Core.Collectives;

/// <summary>
/// How the ranks of a connected mesh move what a round needs: over their connections, or through memory that they share. The
/// results do not depend on it. The mesh has checked the arguments; its training thread makes the calls.
/// </summary>
internal interface ITransport : IDisposable
{
    /// <inheritdoc cref="Mesh.Gather"/>
    byte[][] Gather(long round, ReadOnlySpan<byte> mine);

    /// <inheritdoc cref="Mesh.AllReduce"/>
    /// <param name="ranges">Over at least one leaf.</param>
    void AllReduce(long round, IReadOnlyList<NodeSum> mine, LeafRanges ranges, FlatBuffer result);

    /// <inheritdoc cref="Mesh.CreateSum"/>
    FlatBuffer CreateSum(long length, TorchSharp.torch.Device? device);

    /// <summary>This rank ends the mesh: the peers shall notice. From any thread, before any call here throws because of it.</summary>
    /// <param name="lost">The peer that is the reason, if one is.</param>
    void GiveUp(int? lost);
}
