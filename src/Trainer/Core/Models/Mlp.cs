using Cluster.Contracts.Spec;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Cluster.Trainer.Core.Models;

/// <summary>
/// Fully connected layers with ReLU and dropout between them; the last one gives the logits. An input of any shape is flattened.
/// Weights and biases start as PyTorch's linear layers do, uniform in ±1/√fan-in.
/// </summary>
internal sealed class Mlp : Network
{
    private readonly ModuleList<Linear> layers;
    private readonly double _dropout;

    public Mlp(ModelSpec.Mlp spec, IReadOnlyList<long> inputShape, int classes) : base(nameof(Mlp))
    {
        long[] widths = [inputShape.Aggregate(1L, (product, extent) => product * extent), .. spec.Hidden, classes];
        layers = ModuleList(widths.Zip(widths.Skip(1), (fanIn, fanOut) => Linear(fanIn, fanOut)).ToArray());
        _dropout = spec.Dropout;
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        var x = input.flatten(start_dim: 1); // [n, features]
        foreach (var layer in layers.Take(layers.Count - 1))
        {
            x = functional.dropout(Forward(layer, x).relu_(), _dropout, training);
        }

        return Forward(layers[^1], x);
    }
}
