using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.State;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Optimizers;

/// <summary>The decay λ of every parameter, for whole-vector torch operations; see <see cref="LayerRows"/>.</summary>
internal sealed class FlatDecay : IDisposable
{
    private readonly LayerRows _rows;

    public FlatDecay(Layout layout, OptimizerSpec spec, double decay, Device device)
    {
        var layers = LayerTable.Build(layout, spec, decay);
        _rows = new LayerRows(layers, layout.ParameterLength, device);
        using var perLayer = tensor(layers.Select(layer => (float)layer.Decay).ToArray(), device: device);
        PerRow = _rows.Spread(perLayer).DetachFromDisposeScope();
    }

    /// <summary>λ, [rows, 1].</summary>
    public Tensor PerRow { get; }

    /// <summary>A buffer's parameters as [rows, width]; a view.</summary>
    public Tensor Rows(FlatBuffer buffer) => _rows.Of(buffer.Tensor);

    public void Dispose()
    {
        PerRow.Dispose();
        _rows.Dispose();
    }
}
