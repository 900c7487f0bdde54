using System.Collections.Immutable;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Optimizers;
using Cluster.Trainer.Core.State;
using TorchSharp;
using static Cluster.Trainer.Core.Native.TensorNumbers;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.Lamb;

/// <summary>
/// The step of <see cref="Lamb{T}"/> as a few dozen operations on whole vectors, for a GPU: their number does not grow with the number
/// of layers, and none waits for the device. Equal to the CPU's to rounding, not bit for bit.
/// </summary>
internal sealed class LambTensors : IDisposable
{
    private readonly OptimizerSpec _spec;
    private readonly LayerRows _rows;
    private readonly Tensor _decay;   // [layers] float32, λ
    private readonly Tensor _adapted; // [layers] bool
    private readonly LastRatios _ratios = new();

    public LambTensors(OptimizerSpec spec, ImmutableArray<Layer> layers, long parameterLength, Device device)
    {
        _spec = spec;
        _rows = new LayerRows(layers, parameterLength, device);
        _decay = tensor(layers.Select(layer => (float)layer.Decay).ToArray(), device: device).DetachFromDisposeScope();
        _adapted = tensor(layers.Select(layer => layer.Adapted).ToArray(), device: device).DetachFromDisposeScope();
    }

    /// <summary>One update. The gradient is scaled in place.</summary>
    public void Step(FlatBuffer theta, FlatBuffer gradient, FlatBuffer m, FlatBuffer v, double scale, double learningRate, long t)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var k = LambConstants.At(_spec, scale, learningRate, t);
        var (x, g, m_t, v_t) = (_rows.Of(theta.Tensor), _rows.Of(gradient.Tensor), _rows.Of(m.Tensor), _rows.Of(v.Tensor));
        var lambda = _rows.Spread(_decay);

        g.mul_(Number(scale));
        if (k.DecayMode == WeightDecayMode.L2InGradient) { g.addcmul_(lambda, x, One); }
        m_t.mul_(Number(k.Beta1)).add_(g, alpha: Number(1 - k.Beta1));
        v_t.mul_(Number(k.Beta2)).addcmul_(g, g, value: Number(1 - k.Beta2));

        var root = v_t.add(Number(k.Adam.EpsilonInRoot), One).sqrt_().add_(Number(k.Adam.EpsilonOutside), One);
        var u = m_t.div(root).mul_(Number(k.Adam.Factor));
        if (k.DecayMode == WeightDecayMode.InUpdate) { u.addcmul_(lambda, x, One); }
        if (k.DecayMode == WeightDecayMode.Decoupled) { x.mul_(lambda.mul(Number(-k.LearningRate)).add_(One, One)); }

        var q = Ratio(_rows.SumsOfSquares(x).sqrt_(), _rows.SumsOfSquares(u).sqrt_());
        _ratios.Keep(q);
        x.addcmul_(_rows.Spread(q.to(ScalarType.Float32)), u, value: Number(-k.LearningRate));
    }

    /// <summary>q of every layer in the last step; waits for the device.</summary>
    public double[] Ratios() => _ratios.Read();

    /// <summary>q of every layer, [layers] float64; as <see cref="LambRatio"/>.</summary>
    private Tensor Ratio(Tensor xNorm, Tensor uNorm)
    {
        var phi = _spec.NormClamp is { } clamp ? xNorm.clamp(Number(clamp.Low), Number(clamp.High)) : xNorm;
        var q = phi / uNorm;
        if (_spec.RatioClip is { } clip) { q = q.clamp(Number(clip.Low), Number(clip.High)); }

        var applies = _adapted.logical_and(phi > Number(0)).logical_and(uNorm > Number(0));
        return where(applies, q, ones_like(q));
    }

    public void Dispose()
    {
        _rows.Dispose();
        _decay.Dispose();
        _adapted.Dispose();
        _ratios.Dispose();
    }
}
