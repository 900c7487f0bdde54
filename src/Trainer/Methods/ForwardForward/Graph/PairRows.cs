using Cluster.Trainer.Core.Graphs;
using Cluster.Trainer.Core.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>The embeddings of pairs of nodes, and their gradients back to the nodes, added in the order of the pairs.</summary>
internal sealed class PairRows : IDisposable
{
    private readonly Tensor _from;            // [n]
    private readonly Tensor _to;              // [n]
    private readonly SparseMatrix _pairsFrom; // [N, n], 1 where a pair begins at a node
    private readonly SparseMatrix _pairsTo;

    public PairRows(ReadOnlySpan<(int From, int To)> pairs, int nodes)
    {
        var from = new long[pairs.Length];
        var to = new long[pairs.Length];
        for (var i = 0; i < pairs.Length; i++) { (from[i], to[i]) = pairs[i]; }
        _from = tensor(from).DetachFromDisposeScope();
        _to = tensor(to).DetachFromDisposeScope();
        _pairsFrom = Incidence(from, nodes);
        _pairsTo = Incidence(to, nodes);
    }

    /// <param name="h">[N, d].</param>
    /// <returns>[n, d] each.</returns>
    public (Tensor From, Tensor To) Of(Tensor h) => (h.index_select(0, _from), h.index_select(0, _to));

    /// <summary>The gradient of the nodes' embeddings, [N, d].</summary>
    public Tensor Back(PairGradient gradient) => _pairsFrom.Times(gradient.From).Plus(_pairsTo.Times(gradient.To));

    public void Dispose()
    {
        _from.Dispose();
        _to.Dispose();
    }

    private static SparseMatrix Incidence(long[] nodeOf, int nodes)
    {
        var rows = Enumerable.Range(0, nodes).Select(_ => new List<(int, double)>()).ToArray();
        for (var pair = 0; pair < nodeOf.Length; pair++) { rows[nodeOf[pair]].Add((pair, 1)); }
        return new SparseMatrix(nodeOf.Length, rows);
    }
}
