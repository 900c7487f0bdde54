using System.Collections.Immutable;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Optimizers;

namespace Cluster.Trainer.Methods.Lamb;

/// <summary>
/// LARS: Large Batch Training of Convolutional Networks, You, Gitman and Ginsburg 2017, arXiv:1708.03888, with the learning
/// rate outside the momentum, as in timm. For every layer i:
/// <code>
///   q = η_c·‖x‖/(‖g‖ + λ·‖x‖ + ε)                 1 if either norm is 0, and for layers left out
///   d = q·(g + λ·x)
///   b_t = μ·b_{t-1} + d
///   x_{t+1} = x_t - η_t·b_t                       Nesterov: x_t - η_t·(d + μ·b_t)
///
///   paper  here          shape  meaning
///   x      x             [P]    parameters
///   g      scale·g       [P]    mean gradient of the global batch
///   b      b             [P]    momentum, zero at first
///   λ      layer.Decay   -      0 for biases and normalisation
/// </code>
/// The norms are one pass over x and g, the update a second one.
/// </summary>
internal sealed unsafe class Lars<T>(OptimizerSpec spec, ImmutableArray<Layer> layers, int threads = 1) : ILayerwiseRule
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly TwoPassStep _passes = new(layers, threads);
    private T* _x, _g, _b;
    private double _scale, _learningRate;

    /// <summary>‖x‖, ‖g‖ and q by layer, of the last step.</summary>
    public ReadOnlySpan<LayerNorms> Norms => _passes.Norms;

    /// <summary>One update.</summary>
    /// <param name="scale">Makes the mean gradient out of g.</param>
    public void Step(T* x, T* g, T* b, double scale, double learningRate)
    {
        _x = x;
        _g = g;
        _b = b;
        (_scale, _learningRate) = (scale, learningRate);
        _passes.Run(this);
    }

    (double First, double Second) ILayerwiseRule.Measure(int layer, Piece piece)
    {
        var gg = FlatNorm.SumOfSquares(_g + piece.Offset, piece.Length);
        return (FlatNorm.SumOfSquares(_x + piece.Offset, piece.Length), _scale * _scale * gg);
    }

    double ILayerwiseRule.Ratio(int layer, double xNorm, double gNorm) =>
        layers[layer].Adapted ? LarsRatio.Of(spec, layers[layer].Decay, xNorm, gNorm) : 1;

    void ILayerwiseRule.Apply(int layer, Piece piece, double ratio)
    {
        var at = piece.Offset;
        var whole = piece.Length - piece.Length % Vector512<T>.Count;
        Apply(_x + at, _g + at, _b + at, whole, layers[layer].Decay, ratio);
        if (whole == piece.Length) { return; }

        // The end of a run that fills no vector goes through the same loop, with zeros behind it: zeros give zeros.
        var (rest, end) = (piece.Length - whole, at + whole);
        T* x = stackalloc T[3 * Vector512<T>.Count];
        T* g = x + Vector512<T>.Count, b = g + Vector512<T>.Count;
        Copy(_x + end, x, rest);
        Copy(_g + end, g, rest);
        Copy(_b + end, b, rest);
        Apply(x, g, b, Vector512<T>.Count, layers[layer].Decay, ratio);
        Copy(x, _x + end, rest);
        Copy(b, _b + end, rest);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Apply(T* x, T* g, T* b, int length, double decay, double q)
    {
        var (scale, lambda, ratio) = (Lanes.Create<T>(_scale), Lanes.Create<T>(decay), Lanes.Create<T>(q));
        var (mu, minusEta) = (Lanes.Create<T>(spec.Momentum), Lanes.Create<T>(-_learningRate));
        var nesterov = spec.Nesterov;
        for (var i = length - Vector512<T>.Count; i >= 0; i -= Vector512<T>.Count) // Backwards; see TwoPassStep.
        {
            var x_t = Vector512.Load(x + i);
            var d = ratio * Lanes.Fma(lambda, x_t, scale * Vector512.Load(g + i));
            var b_t = Lanes.Fma(mu, Vector512.Load(b + i), d);
            b_t.Store(b + i);
            Lanes.Fma(minusEta, nesterov ? Lanes.Fma(mu, b_t, d) : b_t, x_t).Store(x + i);
        }
    }

    private static void Copy(T* from, T* to, int count) => new ReadOnlySpan<T>(from, count).CopyTo(new Span<T>(to, count));
}

internal static class LarsRatio
{
    public const double DefaultEpsilon = 1e-8;
    public const double DefaultDecay = 5e-4;

    /// <summary>q, the trust ratio of a layer.</summary>
    public static double Of(OptimizerSpec spec, double decay, double xNorm, double gNorm) => xNorm > 0 && gNorm > 0
        ? spec.TrustCoefficient * xNorm / (gNorm + decay * xNorm + (spec.Epsilon ?? DefaultEpsilon))
        : 1;
}
