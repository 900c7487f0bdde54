using System.Collections.Immutable;
using Cluster.Trainer.Core.Collectives;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Methods;

namespace Cluster.Trainer.Rounds;

/// <summary>The layers of a method dealt out to the ranks of a mesh, and what this rank needs to compute its own.</summary>
internal sealed class SharedLayers : IDisposable
{
    private readonly int _rank;

    /// <param name="layers">Of each rank, the same on all.</param>
    public SharedLayers(ILayerwiseMethod method, Mesh mesh, IReadOnlyList<LayerRange> layers)
    {
        (_rank, Layers) = (mesh.Rank, layers);
        Runs = [.. layers.Select(method.Open)];
        var longest = method.LongestLeaf;
        Chain = mesh.CreateChain(
            round => [.. method.Leaves(round).Select(leaf => Mine.SignalBelow(leaf.Count))], Mine.SignalBelow(longest), Mine.SignalAbove(longest));
        Accumulator = new LeafAccumulator(() => new FlatBuffer(Mine.ContributionLength, method.State.Buffers[0].Buffer.Tensor.device));
    }

    public IReadOnlyList<LayerRange> Layers { get; }

    /// <summary>By rank; those of the others receive their state.</summary>
    public ImmutableArray<ILayerRun> Runs { get; }

    public ILayerRun Mine => Runs[_rank];

    public Chain Chain { get; }

    public LeafAccumulator Accumulator { get; }

    public void Dispose()
    {
        Chain.Dispose();
        Accumulator.Dispose();
        foreach (var run in Runs) { run.Dispose(); }
    }
}
