using System.Collections.Immutable;
using Cluster.Trainer.Core.Graphs;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>
/// Graph attention (Veličković et al. 2018), the heads side by side. For each head, with G = X̂ W cut into heads:
/// <code>
///   e_ij = LeakyReLU( a_source·G_j + a_target·G_i )     j: a neighbour of i, or i
///   α_ij = softmax_j e_ij
///   Z_i  = Σ_j α_ij G_j + b
/// </code>
/// The weights of the sum change with W, so nothing is computed in advance but what the graphs have in common of X̂ W.
/// </summary>
internal sealed class AttentionEncoder(int heads, int threads) : IGraphEncoder
{
    public IReadOnlyList<(string Name, ImmutableArray<long> Shape)> Tensors(long inputs, long outputs) =>
        [("weight", [inputs, outputs]), ("bias", [outputs]), ("source", [heads, outputs / heads]), ("target", [heads, outputs / heads])];

    /// <summary>Glorot's uniform weights and attention, zero bias.</summary>
    public void Initialise(LayerTensors layer)
    {
        using var _ = no_grad();
        foreach (var matrix in (Tensor[])[layer.Weight, layer.Source!, layer.Target!])
        {
            var bound = Math.Sqrt(6.0 / (matrix.shape[0] + matrix.shape[1]));
            nn.init.uniform_(matrix, -bound, bound);
        }

        layer.Bias.zero_();
    }

    public Tensor Apply(IReadOnlyList<Adjacency> graphs, InputRows inputs, LayerTensors layer)
    {
        using var pass = new AttentionPass(inputs, Edges(graphs, null), threads);
        return pass.Forward(layer);
    }

    /// <summary>The pass shares the inputs and does not dispose them.</summary>
    public ILayerPass Prepare(IReadOnlyList<Adjacency> graphs, InputRows inputs, IReadOnlyList<int>? rows) => new AttentionPass(inputs, Edges(graphs, rows), threads);

    private static AttentionEdges[] Edges(IReadOnlyList<Adjacency> graphs, IReadOnlyList<int>? rows) => [.. graphs.Select(graph => new AttentionEdges(graph, rows))];
}
