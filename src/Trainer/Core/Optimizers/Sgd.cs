using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.State;
using TorchSharp;
using static Cluster.Trainer.Core.Native.TensorNumbers;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Optimizers;

/// <summary>
/// Stochastic gradient descent with momentum and decay in the gradient, as in PyTorch (Sutskever et al. 2013, with the learning
/// rate outside the momentum):
/// <code>
///   d   = g_t + λ·x_t
///   b_t = μ·b_{t-1} + d
///   x_{t+1} = x_t - η·b_t                          Nesterov: x_t - η·(d + μ·b_t)
/// </code>
/// λ is 0 for the tensors that the spec leaves out. One pass over memory: 20 bytes a parameter.
/// </summary>
internal sealed unsafe class Sgd : IElementwiseOptimizer
{
    private const double DefaultDecay = 5e-4;

    private readonly OptimizerSpec _spec;
    private readonly Part _all;
    private readonly FlatBuffer _momentum;
    private readonly ElementwiseStep? _cpu;
    private readonly FlatDecay? _tensors;

    public Sgd(OptimizerSpec spec, Layout layout, Device device, int threads, bool asTensors = false)
    {
        (_spec, _all) = (spec, Part.All(layout));
        _momentum = new FlatBuffer(layout.ParameterLength, device);
        if (_momentum.IsOnCpu && !asTensors) { _cpu = new ElementwiseStep(layout, spec, threads); }
        else { _tensors = new FlatDecay(layout, spec, device); }
    }

    public IReadOnlyList<(string Name, FlatBuffer Buffer)> Moments => [("momentum", _momentum)];

    public void Step(FlatBuffer theta, FlatBuffer gradient, double scale, double learningRate, long t) =>
        Step(_all, theta, gradient, scale, learningRate, t);

    public void Step(in Part part, FlatBuffer theta, FlatBuffer gradient, double scale, double learningRate, long t)
    {
        var lambda = part.Decay ?? _spec.WeightDecay ?? DefaultDecay;
        if (_tensors is not null) { Step(_tensors, part, lambda, theta, gradient, scale, learningRate); }
        _cpu?.Run(part, lambda, (piece, decay) => Update(
            theta.Pointer + piece.Offset, gradient.Pointer + piece.Offset, _momentum.Pointer + piece.Offset, piece.Length, scale, learningRate, decay));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Update(float* x, float* g, float* b, int length, double gradientScale, double learningRate, double decay)
    {
        var (scale, lambda) = (Lanes.Create<float>(gradientScale), Lanes.Create<float>(decay));
        var (mu, minusEta) = (Lanes.Create<float>(_spec.Momentum), Lanes.Create<float>(-learningRate));
        var nesterov = _spec.Nesterov;
        for (var i = 0; i < length; i += Vector512<float>.Count)
        {
            var x_t = Vector512.Load(x + i);
            var d = Lanes.Fma(lambda, x_t, scale * Vector512.Load(g + i));
            var b_t = Lanes.Fma(mu, Vector512.Load(b + i), d);
            b_t.Store(b + i);
            Lanes.Fma(minusEta, nesterov ? Lanes.Fma(mu, b_t, d) : b_t, x_t).Store(x + i);
        }
    }

    private void Step(FlatDecay tensors, in Part part, double lambda, FlatBuffer theta, FlatBuffer gradient, double scale, double learningRate)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var (x, d, b) = (tensors.Rows(theta, part), tensors.Rows(gradient, part), tensors.Rows(_momentum, part));
        d.mul_(Number(scale)).addcmul_(tensors.PerRow(part, lambda), x, One);
        b.mul_(Number(_spec.Momentum)).add_(d, One);
        x.add_(_spec.Nesterov ? d.add_(b, alpha: Number(_spec.Momentum)) : b, alpha: Number(-learningRate));
    }

    public void Dispose()
    {
        _momentum.Dispose();
        _tensors?.Dispose();
    }
}
