using System.Collections.Immutable;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Optimizers;
using Cluster.Trainer.Core.State;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.Lamb;

/// <summary>LAMB over flat buffers: <see cref="Lamb{T}"/> on the CPU, <see cref="LambTensors"/> elsewhere.</summary>
internal sealed unsafe class LambOptimizer : IOptimizer
{
    private readonly FlatBuffer _m;
    private readonly FlatBuffer _v;
    private readonly ImmutableArray<Layer> _layers;
    private readonly Lamb<float>? _lamb;
    private readonly LambTensors? _tensors;

    /// <exception cref="Contracts.BadInputException">The spec names a stack that the model does not have.</exception>
    public LambOptimizer(OptimizerSpec spec, Layout layout, Device device, int threads, bool asTensors = false)
    {
        _layers = LayerTable.Build(layout, spec, spec.WeightDecay ?? LambConstants.DefaultDecay);
        _m = new FlatBuffer(layout.ParameterLength, device);
        _v = new FlatBuffer(layout.ParameterLength, device);
        if (_m.IsOnCpu && !asTensors) { _lamb = new Lamb<float>(spec, _layers, threads); }
        else { _tensors = new LambTensors(spec, _layers, layout.ParameterLength, device); }
    }

    public IReadOnlyList<(string Name, FlatBuffer Buffer)> Moments => [("m", _m), ("v", _v)];

    public void Step(FlatBuffer theta, FlatBuffer gradient, double scale, double learningRate, long t)
    {
        _tensors?.Step(theta, gradient, _m, _v, scale, learningRate, t);
        _lamb?.Step(theta.Pointer, gradient.Pointer, _m.Pointer, _v.Pointer, scale, learningRate, t);
    }

    public IReadOnlyList<LayerRatio> Ratios()
    {
        var ofTensors = _tensors?.Ratios();
        return LayerTable.Ratios(_layers, layer => ofTensors is null ? _lamb!.Norms[layer].Ratio : ofTensors[layer]);
    }

    public void Dispose()
    {
        _m.Dispose();
        _v.Dispose();
        _tensors?.Dispose();
    }
}
