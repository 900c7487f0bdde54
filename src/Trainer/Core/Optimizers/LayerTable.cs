using System.Collections.Immutable;
using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.State;

namespace Cluster.Trainer.Core.Optimizers;

/// <summary>
/// What the papers call a layer, x^(i): one parameter tensor, or one slice of a tensor that is a stack of layers.
/// </summary>
/// <param name="Offset">First element in the flat buffer.</param>
/// <param name="Length">Elements, without padding.</param>
/// <param name="Decay">λ of this layer: 0 where it is excluded.</param>
/// <param name="Adapted">Whether the layer-wise ratio applies; it is 1 otherwise.</param>
internal readonly record struct Layer(string Name, long Offset, long Length, double Decay, bool Adapted);

internal static class LayerTable
{
    /// <summary>
    /// The layers of a model in layout order. A bias or normalisation tensor is left out of decay and adaptation as the spec
    /// says. A tensor named in <see cref="OptimizerSpec.Stacked"/> gives one layer for each index of its first axis, and
    /// each is judged by its own shape: a stack of biases is still biases.
    /// </summary>
    /// <exception cref="BadInputException">The spec names a stack that the model does not have.</exception>
    public static ImmutableArray<Layer> Build(Layout layout, OptimizerSpec spec, double decay)
    {
        foreach (var name in spec.Stacked)
        {
            if (!layout.Parameters.Any(s => s.Name == name && s.Shape.Length > 0))
            {
                var known = string.Join(", ", layout.Parameters.Where(s => s.Shape.Length > 1).Select(s => s.Name));
                throw new BadInputException($"optimizer.stacked names '{name}', which is no tensor of this model with a first axis; allowed are: {known}");
            }
        }

        var layers = ImmutableArray.CreateBuilder<Layer>();
        foreach (var segment in layout.Parameters)
        {
            var stacked = spec.Stacked.Contains(segment.Name);
            var isBiasOrNorm = stacked ? segment.Shape.Length <= 2 : segment.IsBiasOrNorm;
            var excluded = isBiasOrNorm && spec.Exclude == ExclusionSpec.BiasAndNorm;
            var slices = stacked ? segment.Shape[0] : 1;
            var length = segment.Length / Math.Max(1, slices);
            for (var slice = 0L; slice < slices; slice++)
            {
                var name = stacked ? $"{segment.Name}[{slice}]" : segment.Name;
                layers.Add(new Layer(name, segment.Offset + slice * length, length, excluded ? 0 : decay, !excluded || spec.AdaptWithoutDecay));
            }
        }

        return layers.ToImmutable();
    }

    /// <summary>Of the layers that are adapted; that of the others is 1 always.</summary>
    /// <param name="ratioOf">By index among all layers.</param>
    public static IReadOnlyList<LayerRatio> Ratios(ImmutableArray<Layer> layers, Func<int, double> ratioOf) =>
        [.. layers.Index().Where(layer => layer.Item.Adapted).Select(layer => new LayerRatio(layer.Item.Name, ratioOf(layer.Index)))];
}
