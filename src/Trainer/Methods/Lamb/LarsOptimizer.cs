using System.Collections.Immutable;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Optimizers;
using Cluster.Trainer.Core.State;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.Lamb;

/// <summary>LARS over flat buffers: <see cref="Lars{T}"/> on the CPU, <see cref="LarsTensors"/> elsewhere.</summary>
internal sealed unsafe class LarsOptimizer : IOptimizer
{
    private readonly FlatBuffer _momentum;
    private readonly ImmutableArray<Layer> _layers;
    private readonly Lars<float>? _lars;
    private readonly LarsTensors? _tensors;

    /// <exception cref="Contracts.BadInputException">The spec names a stack that the model does not have.</exception>
    public LarsOptimizer(OptimizerSpec spec, Layout layout, Device device, int threads, bool asTensors = false)
    {
        _layers = LayerTable.Build(layout, spec, spec.WeightDecay ?? LarsRatio.DefaultDecay);
        _momentum = new FlatBuffer(layout.ParameterLength, device);
        if (_momentum.IsOnCpu && !asTensors) { _lars = new Lars<float>(spec, _layers, threads); }
        else { _tensors = new LarsTensors(spec, _layers, layout.ParameterLength, device); }
    }

    public IReadOnlyList<(string Name, FlatBuffer Buffer)> Moments => [("momentum", _momentum)];

    public void Step(FlatBuffer theta, FlatBuffer gradient, double scale, double learningRate, long t)
    {
        _tensors?.Step(theta, gradient, _momentum, scale, learningRate);
        _lars?.Step(theta.Pointer, gradient.Pointer, _momentum.Pointer, scale, learningRate);
    }

    public IReadOnlyList<LayerRatio> Ratios()
    {
        var ofTensors = _tensors?.Ratios();
        return LayerTable.Ratios(_layers, layer => ofTensors is null ? _lars!.Norms[layer].Ratio : ofTensors[layer]);
    }

    public void Dispose()
    {
        _momentum.Dispose();
        _tensors?.Dispose();
    }
}
