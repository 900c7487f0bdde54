using System.Collections.Immutable;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Graphs;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>Telling the classes of nodes: the graph, what its nodes hold, and virtual nodes, one for each class.</summary>
/// <param name="Real">The graph as it is, N nodes.</param>
/// <param name="Features">X, [N, F].</param>
/// <param name="Virtual">Features of the virtual nodes, [K, F]: random, and never trained.</param>
/// <param name="Labels">y, [N].</param>
internal sealed record NodeTask(Adjacency Real, Tensor Features, Tensor Virtual, ImmutableArray<int> Labels, NodeSplit Split) : IDisposable
{
    /// <summary>N.</summary>
    public int Nodes => Real.Nodes;

    /// <summary>K.</summary>
    public int Classes => (int)Virtual.shape[0];

    /// <summary>F.</summary>
    public long Inputs => Features.shape[1];

    /// <param name="data">With a split.</param>
    public static NodeTask Of(GraphData data, long seed)
    {
        using var scope = NewDisposeScope();
        using var generator = manual_seed((long)Seeds.Derive(seed, SeedPurpose.VirtualNodes));
        return new NodeTask(
            data.Edges,
            data.Features.Dense(ScalarType.Float32).DetachFromDisposeScope(),
            randn(data.Classes, data.Features.ColumnCount).DetachFromDisposeScope(),
            [.. data.Labels],
            data.Split ?? throw new ArgumentException("classes of nodes need a split", nameof(data)));
    }

    /// <summary>The virtual node of a class.</summary>
    public int VirtualNode(int label) => Nodes + label;

    /// <summary>The graph with each of these nodes joined to the virtual node of its class there, in both directions.</summary>
    public Adjacency Joined(IEnumerable<(int Node, int Label)> labelled) => Real.With(Classes, labelled.Select(one => (one.Node, VirtualNode(one.Label))));

    /// <summary>The training nodes with their labels moved on by <paramref name="shift"/> classes; 0 leaves them right.</summary>
    public IEnumerable<(int Node, int Label)> Training(int shift = 0) => Split.Train.Select(node => (node, (Labels[node] + shift) % Classes));

    /// <summary>Features of real and virtual nodes, [N + K, F].</summary>
    public Tensor WithVirtual() => cat([Features, Virtual]);

    /// <summary>Labels of nodes, [n], int64.</summary>
    public Tensor LabelsOf(IEnumerable<int> nodes) => tensor(nodes.Select(node => (long)Labels[node]).ToArray());

    public void Dispose()
    {
        Features.Dispose();
        Virtual.Dispose();
    }
}
