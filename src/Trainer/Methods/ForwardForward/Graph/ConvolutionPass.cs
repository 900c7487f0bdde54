using Cluster.Trainer.Core.Graphs;
using Cluster.Trainer.Core.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>A gcn or sage layer with its sums over neighbours made: Z = F W + b, ∂L/∂W = Fᵀ ∂L/∂Z, ∂L/∂b = Σ ∂L/∂Z.</summary>
/// <param name="aggregated">F: Â X̂, or [M X̂ | X̂].</param>
/// <param name="matrix">Â or M of the one graph; null for several.</param>
internal sealed class ConvolutionPass(InputRows aggregated, SparseMatrix? matrix, bool isSage, int threads) : ILayerPass
{
    private SparseMatrix? _transposed;

    public Tensor Forward(LayerTensors layer) => aggregated.Times(layer.Weight).Plus(layer.Bias);

    public void Backward(LayerTensors layer, Tensor byZ, LayerTensors gradient)
    {
        aggregated.AddTransposedTimes(byZ, gradient.Weight);
        gradient.Bias.Add(byZ.sum([0L, 1L]));
    }

    public Tensor InputGradient(LayerTensors layer, Tensor byZ)
    {
        _transposed ??= (matrix ?? throw new InvalidOperationException("several graphs have no one gradient of their inputs")).Transposed();
        var byAggregated = byZ[0].mm(layer.Weight.t()); // ∂L/∂F
        if (!isSage) { return _transposed.Times(byAggregated, threads); }

        var d = byAggregated.shape[1] / 2;
        return _transposed.Times(byAggregated.narrow(1, 0, d), threads).Plus(byAggregated.narrow(1, d, d));
    }

    public ILayerPass Keep()
    {
        aggregated.Keep();
        return this;
    }

    public void Dispose() => aggregated.Dispose();
}
