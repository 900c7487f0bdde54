using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.State;
using TorchSharp;
using static Cluster.Trainer.Core.Native.TensorNumbers;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Optimizers;

/// <summary>
/// AdamW: Decoupled Weight Decay Regularization, Loshchilov and Hutter, ICLR 2019, arXiv:1711.05101, Algorithm 2, with the decay
/// scaled by the learning rate as in PyTorch:
/// <code>
///   m_t = β1·m_{t-1} + (1-β1)·g_t
///   v_t = β2·v_{t-1} + (1-β2)·g_t²
///   x_{t+1} = (1 - η·λ)·x_t - η·m̂/(√v̂ + ε)       m̂/(√v̂ + ε): see <see cref="AdamConstants"/>
/// </code>
/// λ is 0 for the tensors that the spec leaves out. One pass over memory: 28 bytes a parameter. The kind adam is the algorithm that
/// this one corrected (Kingma and Ba 2015, with L2 as PyTorch adds it): g_t + λ·x_t in place of g_t, and no decay beside the update.
/// </summary>
internal sealed unsafe class AdamW : IElementwiseOptimizer
{
    private const double DefaultEpsilon = 1e-8;
    private const double DefaultDecay = 0.01;
    private const double DefaultCoupledDecay = 5e-4;

    private readonly OptimizerSpec _spec;
    private readonly Part _all;
    private readonly bool _coupled; // λ enters the gradient.
    private readonly FlatBuffer _m;
    private readonly FlatBuffer _v;
    private readonly ElementwiseStep? _cpu;
    private readonly FlatDecay? _tensors;

    public AdamW(OptimizerSpec spec, Layout layout, Device device, int threads, bool asTensors = false)
    {
        (_spec, _all, _coupled) = (spec, Part.All(layout), spec.Kind == OptimizerKind.Adam);
        _m = new FlatBuffer(layout.ParameterLength, device);
        _v = new FlatBuffer(layout.ParameterLength, device);
        if (_m.IsOnCpu && !asTensors) { _cpu = new ElementwiseStep(layout, spec, threads); }
        else { _tensors = new FlatDecay(layout, spec, device); }
    }

    public IReadOnlyList<(string Name, FlatBuffer Buffer)> Moments => [("m", _m), ("v", _v)];

    public void Step(FlatBuffer theta, FlatBuffer gradient, double scale, double learningRate, long t) =>
        Step(_all, theta, gradient, scale, learningRate, t);

    public void Step(in Part part, FlatBuffer theta, FlatBuffer gradient, double scale, double learningRate, long t)
    {
        var lambda = part.Decay ?? _spec.WeightDecay ?? (_coupled ? DefaultCoupledDecay : DefaultDecay);
        var k = AdamConstants.At(t, _spec.Beta1, _spec.Beta2, _spec.Epsilon ?? DefaultEpsilon);
        if (_tensors is not null) { Step(_tensors, part, lambda, theta, gradient, scale, learningRate, k); }
        _cpu?.Run(part, lambda, (piece, decay) => Update(
            theta.Pointer + piece.Offset, gradient.Pointer + piece.Offset, _m.Pointer + piece.Offset, _v.Pointer + piece.Offset, piece.Length,
            scale, learningRate, _coupled ? decay : 0, _coupled ? 0 : decay, k));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Update(float* x, float* g, float* m, float* v, int length, double gradientScale, double learningRate, double coupledDecay, double decay, in AdamConstants k)
    {
        var (scale, lambda) = (Lanes.Create<float>(gradientScale), Lanes.Create<float>(coupledDecay));
        var (beta1, gain1) = (Lanes.Create<float>(_spec.Beta1), Lanes.Create<float>(1 - _spec.Beta1));
        var (beta2, gain2) = (Lanes.Create<float>(_spec.Beta2), Lanes.Create<float>(1 - _spec.Beta2));
        var (keep, step, epsilon) = (Lanes.Create<float>(1 - learningRate * decay), Lanes.Create<float>(-learningRate * k.Factor), Lanes.Create<float>(k.EpsilonOutside));

        for (var i = 0; i < length; i += Vector512<float>.Count)
        {
            var x_t = Vector512.Load(x + i);
            var g_t = Lanes.Fma(lambda, x_t, scale * Vector512.Load(g + i));
            var m_t = Lanes.Fma(beta1, Vector512.Load(m + i), gain1 * g_t);
            var v_t = Lanes.Fma(beta2, Vector512.Load(v + i), gain2 * (g_t * g_t));
            m_t.Store(m + i);
            v_t.Store(v + i);
            Lanes.Fma(step, m_t / (Vector512.Sqrt(v_t) + epsilon), keep * x_t).Store(x + i);
        }
    }

    private void Step(FlatDecay tensors, in Part part, double lambda, FlatBuffer theta, FlatBuffer gradient, double scale, double learningRate, in AdamConstants k)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var (x, g, m, v) = (tensors.Rows(theta, part), tensors.Rows(gradient, part), tensors.Rows(_m, part), tensors.Rows(_v, part));
        var decay = tensors.PerRow(part, lambda);
        g.mul_(Number(scale));
        if (_coupled) { g.addcmul_(decay, x, One); }
        m.mul_(Number(_spec.Beta1)).add_(g, alpha: Number(1 - _spec.Beta1));
        v.mul_(Number(_spec.Beta2)).addcmul_(g, g, value: Number(1 - _spec.Beta2));
        if (!_coupled) { x.mul_(decay.mul(Number(-learningRate)).add_(One, One)); }
        x.addcdiv_(m, v.sqrt().add_(Number(k.EpsilonOutside), One), value: Number(-learningRate * k.Factor));
    }

    public void Dispose()
    {
        _m.Dispose();
        _v.Dispose();
        _tensors?.Dispose();
    }
}
