using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.State;
using TorchSharp;
using static Cluster.Trainer.Core.Native.TensorNumbers;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Optimizers;

/// <summary>Which parameters are decayed, for whole-vector torch operations; see <see cref="LayerRows"/>.</summary>
internal sealed class FlatDecay : IDisposable
{
    private readonly LayerRows _rows;
    private readonly Tensor _share; // [rows, 1], 1 where a row is decayed and 0 where not.

    public FlatDecay(Layout layout, OptimizerSpec spec, Device device)
    {
        var layers = LayerTable.Build(layout, spec, decay: 1);
        _rows = new LayerRows(layers, layout.ParameterLength, device);
        using var perLayer = tensor(layers.Select(layer => (float)layer.Decay).ToArray(), device: device);
        _share = _rows.Spread(perLayer).DetachFromDisposeScope();
    }

    /// <summary>λ of each row of a part, [rows, 1].</summary>
    public Tensor PerRow(in Part part, double decay) => Narrow(_share, part).mul(Number(decay));

    /// <summary>A buffer's parameters of a part as [rows, width]; a view.</summary>
    public Tensor Rows(FlatBuffer buffer, in Part part) => Narrow(_rows.Of(buffer.Tensor), part);

    private Tensor Narrow(Tensor rows, in Part part) => rows.narrow(0, part.Offset / _rows.Width, part.Length / _rows.Width);

    public void Dispose()
    {
        _share.Dispose();
        _rows.Dispose();
    }
}
