using System.Collections.Immutable;

namespace Cluster.Trainer.Methods.ForwardForward;

/// <summary>What each layer adds to the record of a round.</summary>
internal static class LayerRecords
{
    /// <summary>Four values a layer must fit into the record of a round; those of higher layers are left out.</summary>
    private const int MaxLayers = 14;

    /// <param name="layers">From the bottom up, means over the round's samples.</param>
    public static ImmutableDictionary<string, double> Values(IEnumerable<LayerRecord> layers)
    {
        var values = ImmutableDictionary.CreateBuilder<string, double>();
        foreach (var (index, layer) in layers.Take(MaxLayers).Index())
        {
            Add($"layer{index + 1}.goodnessPositive", layer.Positive);
            Add($"layer{index + 1}.goodnessNegative", layer.Negative);
            Add($"layer{index + 1}.loss", layer.Loss);
            Add($"layer{index + 1}.accuracy", layer.Accuracy);
        }

        return values.ToImmutable();

        void Add(string name, double? value)
        {
            if (value is { } number && double.IsFinite(number)) { values[name] = number; }
        }
    }
}

/// <param name="Positive">Goodness of positive samples; null for a layer that has no such thing.</param>
/// <param name="Negative">Goodness of negative samples.</param>
/// <param name="Loss">The layer's own.</param>
/// <param name="Accuracy">What the layer alone tells rightly.</param>
internal readonly record struct LayerRecord(double? Positive, double? Negative, double Loss, double Accuracy);
