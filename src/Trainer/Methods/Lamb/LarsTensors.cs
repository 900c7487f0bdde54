using System.Collections.Immutable;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Optimizers;
using Cluster.Trainer.Core.State;
using TorchSharp;
using static Cluster.Trainer.Core.Native.TensorNumbers;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.Lamb;

/// <summary>The step of <see cref="Lars{T}"/> as a few operations on whole vectors, for a GPU.</summary>
internal sealed class LarsTensors : IDisposable
{
    private readonly OptimizerSpec _spec;
    private readonly LayerRows _rows;
    private readonly Tensor _decay;   // [layers] float64, λ
    private readonly Tensor _adapted; // [layers] bool
    private readonly LastRatios _ratios = new();

    public LarsTensors(OptimizerSpec spec, ImmutableArray<Layer> layers, long parameterLength, Device device)
    {
        _spec = spec;
        _rows = new LayerRows(layers, parameterLength, device);
        _decay = tensor(layers.Select(layer => layer.Decay).ToArray(), device: device).DetachFromDisposeScope();
        _adapted = tensor(layers.Select(layer => layer.Adapted).ToArray(), device: device).DetachFromDisposeScope();
    }

    /// <summary>One update. The gradient is overwritten with d.</summary>
    public void Step(FlatBuffer theta, FlatBuffer gradient, FlatBuffer momentum, double scale, double learningRate)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var (x, d, b) = (_rows.Of(theta.Tensor), _rows.Of(gradient.Tensor), _rows.Of(momentum.Tensor));

        d.mul_(Number(scale));
        var q = Ratio(_rows.SumsOfSquares(x).sqrt_(), _rows.SumsOfSquares(d).sqrt_());
        _ratios.Keep(q);
        d.addcmul_(_rows.Spread(_decay.to(ScalarType.Float32)), x, One).mul_(_rows.Spread(q.to(ScalarType.Float32)));
        b.mul_(Number(_spec.Momentum)).add_(d, One);
        x.add_(_spec.Nesterov ? d.add_(b, alpha: Number(_spec.Momentum)) : b, alpha: Number(-learningRate));
    }

    /// <summary>q of every layer in the last step; waits for the device.</summary>
    public double[] Ratios() => _ratios.Read();

    /// <summary>q of every layer, [layers] float64; as <see cref="LarsRatio"/>.</summary>
    private Tensor Ratio(Tensor xNorm, Tensor gNorm)
    {
        var q = xNorm.Times(_spec.TrustCoefficient) / gNorm.Plus(_decay * xNorm).Plus(_spec.Epsilon ?? LarsRatio.DefaultEpsilon);
        return where(_adapted.logical_and(xNorm > Number(0)).logical_and(gNorm > Number(0)), q, ones_like(q));
    }

    public void Dispose()
    {
        _rows.Dispose();
        _decay.Dispose();
        _adapted.Dispose();
        _ratios.Dispose();
    }
}
