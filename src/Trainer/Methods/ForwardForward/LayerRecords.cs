using System.Collections.Immutable;

namespace Cluster.Trainer.Methods.ForwardForward;

/// <summary>What each layer adds to the record of a round.</summary>
internal static class LayerRecords
{
    /// <summary>Four values a layer must fit into the record of a round; those of higher layers are left out.</summary>
    private const int MaxLayers = 14;

    /// <param name="layers">From the bottom up, means over the round's samples.</param>
    /// <param name="first">Index of the lowest of them, from 0.</param>
    public static ImmutableDictionary<string, double> Values(IEnumerable<LayerRecord> layers, int first = 0) =>
        layers.Take(MaxLayers - first).Select((layer, index) => Values(first + index, layer))
            .Aggregate(ImmutableDictionary<string, double>.Empty, (all, one) => all.AddRange(one));

    /// <summary>Of one layer alone.</summary>
    /// <param name="index">From 0; in names layers count from 1.</param>
    public static ImmutableDictionary<string, double> Values(int index, LayerRecord layer)
    {
        (string Name, double? Value)[] values =
        [
            ("goodnessPositive", layer.Positive), ("goodnessNegative", layer.Negative), ("loss", layer.Loss), ("accuracy", layer.Accuracy),
        ];
        return values.Where(one => one.Value is { } number && double.IsFinite(number))
            .ToImmutableDictionary(one => $"layer{index + 1}.{one.Name}", one => one.Value!.Value);
    }
}

/// <param name="Positive">Goodness of positive samples; null for a layer that has no such thing.</param>
/// <param name="Negative">Goodness of negative samples.</param>
/// <param name="Loss">The layer's own.</param>
/// <param name="Accuracy">What the layer alone tells rightly.</param>
internal readonly record struct LayerRecord(double? Positive, double? Negative, double Loss, double Accuracy);
