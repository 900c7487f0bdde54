using System.Collections.Immutable;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.State;

namespace Cluster.Trainer.Core.Optimizers;

/// <summary>
/// Runs an element-wise update over parameter tensors, a block at a time: one pass over memory. Runs reach to the end of a
/// tensor's padding, so that they are whole vectors; the padding is zero in every buffer and stays zero.
/// </summary>
internal sealed class ElementwiseStep
{
    private readonly int _threads;
    private readonly ImmutableArray<(Piece Piece, double Share)> _pieces; // In the order of the buffer.

    public ElementwiseStep(Layout layout, OptimizerSpec spec, int threads)
    {
        _threads = threads;
        _pieces = [.. LayerTable.Build(layout, spec, decay: 1).SelectMany(layer =>
            Blocks.Cut(layer.Offset, (layer.Length + Layout.Alignment - 1) / Layout.Alignment * Layout.Alignment).Select(piece => (piece, layer.Decay)))];
    }

    /// <param name="part">Which tensors.</param>
    /// <param name="decay">λ of the tensors that are decayed; the others get 0.</param>
    /// <param name="update">Gets a run of whole vectors and its λ.</param>
    public void Run(in Part part, double decay, Action<Piece, double> update)
    {
        var (first, end) = (Count(part.Offset), Count(part.End));
        Blocks.ForEach(end - first, _threads, i => update(_pieces[first + i].Piece, _pieces[first + i].Share * decay));
    }

    /// <summary>Pieces that begin before an offset.</summary>
    private int Count(long offset)
    {
        var (low, high) = (0, _pieces.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_pieces[middle].Piece.Offset < offset) { low = middle + 1; }
            else { high = middle; }
        }

        return low;
    }
}
