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
            data.Split ?? throw new ArgumentException("classes of nodes need a split", nameof(data)))
        {
            WrongOrders = [.. Enumerable.Range(0, data.Nodes).Select(node => new Permutation(Seeds.Derive(seed, SeedPurpose.WrongLabel, node), Math.Max(1, data.Classes - 1)))],
        };
    }

    /// <summary>
    /// The order in which each node has its wrong classes, N permutations of K - 1; empty for all the same. Drawn at random, as in the
    /// released code: were it the same, a wrong labelling would be the right one with its classes renamed, and the graph could not tell them apart.
    /// </summary>
    public ImmutableArray<Permutation> WrongOrders { get; init; } = [];

    /// <summary>The virtual node of a class.</summary>
    public int VirtualNode(int label) => Nodes + label;

    /// <summary>The graph with each of these nodes joined to the virtual node of its class there, in both directions.</summary>
    public Adjacency Joined(IEnumerable<(int Node, int Label)> labelled) => Real.With(Classes, labelled.Select(one => (one.Node, VirtualNode(one.Label))));

    /// <summary>The training nodes with labels: with 0 the right ones, with 1 .. K - 1 each node's wrong classes in its order.</summary>
    public IEnumerable<(int Node, int Label)> Training(int labelling = 0) => Split.Train.Select(node => (node, (Labels[node] + Moved(node, labelling)) % Classes));

    /// <summary>Features of real and virtual nodes, [N + K, F].</summary>
    public Tensor WithVirtual() => cat([Features, Virtual]);

    private int Moved(int node, int labelling) => labelling == 0 || WrongOrders.IsEmpty ? labelling : 1 + (int)WrongOrders[node][labelling - 1];

    /// <summary>Labels of nodes, [n], int64.</summary>
    public Tensor LabelsOf(IEnumerable<int> nodes) => tensor(nodes.Select(node => (long)Labels[node]).ToArray());

    public void Dispose()
    {
        Features.Dispose();
        Virtual.Dispose();
    }
}
