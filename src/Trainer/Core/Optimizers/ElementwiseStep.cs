using System.Collections.Immutable;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.State;

namespace Cluster.Trainer.Core.Optimizers;

/// <summary>
/// Runs an element-wise update over all parameter tensors, a block at a time: one pass over memory. Runs reach to the end of a
/// tensor's padding, so that they are whole vectors; the padding is zero in every buffer and stays zero.
/// </summary>
internal sealed class ElementwiseStep
{
    private readonly int _threads;
    private readonly ImmutableArray<(Piece Piece, double Decay)> _pieces;

    public ElementwiseStep(Layout layout, OptimizerSpec spec, double decay, int threads)
    {
        _threads = threads;
        _pieces = [.. LayerTable.Build(layout, spec, decay).SelectMany(layer =>
            Blocks.Cut(layer.Offset, (layer.Length + Layout.Alignment - 1) / Layout.Alignment * Layout.Alignment).Select(piece => (piece, layer.Decay)))];
    }

    /// <param name="update">Gets a run of whole vectors and the tensor's decay λ.</param>
    public void Run(Action<Piece, double> update) => Blocks.ForEach(_pieces.Length, _threads, i => update(_pieces[i].Piece, _pieces[i].Decay));
}
