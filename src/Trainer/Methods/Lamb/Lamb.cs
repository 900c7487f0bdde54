using System.Collections.Immutable;
using System.Numerics;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Optimizers;

namespace Cluster.Trainer.Methods.Lamb;

/// <summary>
/// LAMB: Large Batch Optimization for Deep Learning, You et al., ICLR 2020, arXiv:1904.00962v5, Algorithm 2. For every layer i:
/// <code>
///   m_t = β1·m_{t-1} + (1-β1)·g_t                 m̂ = m_t/(1-β1^t)
///   v_t = β2·v_{t-1} + (1-β2)·g_t²                v̂ = v_t/(1-β2^t)
///   r_t = m̂/(√v̂ + ε)
///   u   = r_t + λ·x_t
///   q   = φ(‖x_t‖)/‖u‖                            1 if either norm is 0
///   x_{t+1} = x_t - η_t·q·u
///
///   paper  here          shape  meaning
///   x      x             [P]    parameters
///   g      scale·g       [P]    mean gradient of the global batch, before any update
///   m, v   m, v          [P]    moments, zero at first
///   λ      layer.Decay   -      0 for biases and normalisation, which are not adapted either (q = 1)
///   φ      Phi           -      identity unless the spec clamps it
///   η      learningRate  -
/// </code>
/// The moments and both norms are one pass over g, x, m, v; x is written in a second, which reads u from where g was. With the
/// second pass in cache that is 28 bytes a parameter, else 40.
/// </summary>
internal sealed unsafe class Lamb<T>(OptimizerSpec spec, ImmutableArray<Layer> layers, int threads = 1) : ILayerwiseRule
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly TwoPassStep _passes = new(layers, threads);
    private LambConstants _constants;
    private T* _x, _g, _m, _v;

    /// <summary>‖x‖, ‖u‖ and q by layer, of the last step.</summary>
    public ReadOnlySpan<LayerNorms> Norms => _passes.Norms;

    /// <summary>One update. g is overwritten with u.</summary>
    /// <param name="scale">Makes the mean gradient out of g.</param>
    /// <param name="t">Number of this update, from 1.</param>
    public void Step(T* x, T* g, T* m, T* v, double scale, double learningRate, long t)
    {
        _x = x;
        _g = g;
        _m = m;
        _v = v;
        _constants = LambConstants.At(spec, scale, learningRate, t);
        _passes.Run(this);
    }

    (double First, double Second) ILayerwiseRule.Measure(int layer, Piece piece)
    {
        var at = piece.Offset;
        return LambKernels.Measure(_x + at, _g + at, _m + at, _v + at, piece.Length, _constants, layers[layer].Decay);
    }

    double ILayerwiseRule.Ratio(int layer, double xNorm, double uNorm) =>
        layers[layer].Adapted ? LambRatio.Of(spec, _constants.Shrink(layers[layer].Decay) * xNorm, uNorm) : 1;

    void ILayerwiseRule.Apply(int layer, Piece piece, double ratio) =>
        LambKernels.Apply(_x + piece.Offset, _g + piece.Offset, piece.Length, _constants.Shrink(layers[layer].Decay), _constants.LearningRate * ratio);
}

internal static class LambRatio
{
    /// <summary>q, the trust ratio of a layer.</summary>
    public static double Of(OptimizerSpec spec, double xNorm, double uNorm)
    {
        var phi = Phi(spec, xNorm);
        if (!(phi > 0 && uNorm > 0)) { return 1; }

        var q = phi / uNorm;
        return spec.RatioClip is { } clip ? Math.Clamp(q, clip.Low, clip.High) : q;
    }

    /// <summary>φ(z) = min(max(z, low), high).</summary>
    private static double Phi(OptimizerSpec spec, double z) => spec.NormClamp is { } clamp ? Math.Clamp(z, clamp.Low, clamp.High) : z;
}
