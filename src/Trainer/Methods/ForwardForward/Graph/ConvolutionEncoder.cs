using System.Collections.Immutable;
using Cluster.Trainer.Core.Graphs;
using Cluster.Trainer.Core.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>
/// Layers that add up rows in a fixed way and multiply:
/// <code>
///   gcn    Z = Â X̂ W + b                           Â = D^-½ (A + I) D^-½         Kipf and Welling 2017
///   sage   Z = [ M X̂ | X̂ ] W + b                   M: mean over the neighbours   Hamilton et al. 2017
/// </code>
/// Â X̂ does not change while the layer learns, so it is computed once and an update costs two dense products.
/// </summary>
internal sealed class ConvolutionEncoder(bool isSage, int threads) : IGraphEncoder
{
    /// <summary>Graphs that differ in more than this share of their columns have nothing in common worth a mix.</summary>
    private const double MixShare = 0.25;

    public IReadOnlyList<(string Name, ImmutableArray<long> Shape)> Tensors(long inputs, long outputs) =>
        [("weight", [isSage ? 2 * inputs : inputs, outputs]), ("bias", [outputs])];

    /// <summary>gcn: Glorot's uniform weights and zero bias. sage: uniform in ±1/√inputs, as linear layers are.</summary>
    public void Initialise(LayerTensors layer)
    {
        using var _ = no_grad();
        var (inputs, outputs) = (layer.Weight.shape[0] / (isSage ? 2 : 1), layer.Weight.shape[1]);
        var bound = isSage ? 1 / Math.Sqrt(inputs) : Math.Sqrt(6.0 / (inputs + outputs));
        nn.init.uniform_(layer.Weight, -bound, bound);
        if (isSage) { nn.init.uniform_(layer.Bias, -bound, bound); }
        else { layer.Bias.zero_(); }
    }

    /// <summary>Multiplies first, so that nothing of the inputs' width is made: Â (X̂ W) + b, and M (X̂ W_neighbour) + X̂ W_self + b.</summary>
    public Tensor Apply(IReadOnlyList<Adjacency> graphs, InputRows inputs, LayerTensors layer)
    {
        var matrices = graphs.Select(Matrix).ToArray();
        var d = layer.Weight.shape[0] / (isSage ? 2 : 1);
        var sent = inputs.Times(layer.Weight.narrow(0, 0, d)); // [1 or S, N, h]
        var sums = stack([.. Enumerable.Range(0, Math.Max(matrices.Length, inputs.Graphs)).Select(
            s => matrices[matrices.Length == 1 ? 0 : s].Times(sent[inputs.Graphs == 1 ? 0 : s], threads))]);
        return (isSage ? sums.Plus(inputs.Times(layer.Weight.narrow(0, d, d))) : sums).Plus(layer.Bias);
    }

    public ILayerPass Prepare(IReadOnlyList<Adjacency> graphs, InputRows inputs, IReadOnlyList<int>? rows)
    {
        var matrices = graphs.Select(graph => rows is null ? Matrix(graph) : Matrix(graph).Take(rows)).ToArray();
        var self = isSage && rows is not null ? NodeRows.Of(rows) : null;
        if (matrices is [var one]) { return new ConvolutionPass(OfOneGraph(one, inputs, self), one, isSage, threads); }

        var first = matrices.Skip(1).Min(matrix => matrices[0].FirstDifference(matrix));
        var aggregated = inputs is { Graphs: 1, Mix: null } && matrices[0].ColumnCount - first < MixShare * matrices[0].ColumnCount
            ? OfOneInput(matrices, inputs.Of(0), self, first)
            : new InputRows(stack([.. matrices.Select((matrix, s) => Aggregate(matrix, inputs.Of(inputs.Graphs == 1 ? 0 : s), self))]));
        return new ConvolutionPass(aggregated, null, isSage, threads);
    }

    private SparseMatrix Matrix(Adjacency graph) => isSage ? SparseMatrix.Mean(graph) : SparseMatrix.Normalised(graph);

    /// <summary>Â X̂, or [M X̂ | X̂], for the rows of the matrix.</summary>
    /// <param name="self">Those rows' nodes; null for all, in order, or where it does not matter.</param>
    private Tensor Aggregate(SparseMatrix matrix, Tensor x, Tensor? self)
    {
        var sum = matrix.Times(x, threads);
        return isSage ? cat([sum, self is null ? x : x.index_select(0, self)], 1) : sum;
    }

    /// <summary>The sum over neighbours is linear, so each part of the inputs is summed by itself.</summary>
    private InputRows OfOneGraph(SparseMatrix matrix, InputRows inputs, Tensor? self)
    {
        var perGraph = inputs.Mix ?? inputs.Base; // [S, N, ...], where there are several
        var sums = perGraph.dim() == 2 ? null : stack([.. Enumerable.Range(0, inputs.Graphs).Select(s => Aggregate(matrix, perGraph[s], self))]);
        if (inputs.Mix is null) { return new InputRows(sums ?? Aggregate(matrix, inputs.Base, self)); }
        return new InputRows(Aggregate(matrix, inputs.Base, self), sums, isSage ? Twice(inputs.Basis!) : inputs.Basis!.clone());
    }

    /// <summary>
    /// Graphs that differ only in what some nodes send, all of them at the end: what the others send is common, and those few are the
    /// basis of a mix.
    /// </summary>
    /// <param name="first">The first of those nodes.</param>
    private InputRows OfOneInput(SparseMatrix[] matrices, Tensor x, Tensor? self, int first)
    {
        var few = x.narrow(0, first, x.shape[0] - first);
        using var others = x.clone();
        others.narrow(0, first, few.shape[0]).zero_();
        var sum = matrices[0].Times(others, threads);
        var mix = stack([.. matrices.Select(matrix => matrix.DenseFrom(first, x.dtype))]);
        return isSage
            ? new InputRows(cat([sum, self is null ? x : x.index_select(0, self)], 1), mix, cat([few, zeros_like(few)], 1))
            : new InputRows(sum, mix, few.clone());
    }

    /// <summary>diag(basis, basis).</summary>
    private static Tensor Twice(Tensor basis) => cat([cat([basis, zeros_like(basis)], 1), cat([zeros_like(basis), basis], 1)], 0);
}
