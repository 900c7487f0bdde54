using System.Collections.Immutable;
using Cluster.Contracts;
using Cluster.Trainer.Core.Optimizers;

namespace Cluster.Trainer.Methods;

/// <summary>What the record of a round says of the layers' trust ratios: <c>trustRatio.3.encoder.0.weight</c>.</summary>
/// <remarks>
/// A picture of layers by rounds needs neither every round nor every layer. So the layers are at most <see cref="MaxLayers"/>, spread over the
/// depth, and the rounds get sparser as the job goes on: all of the first 255, then every second, from round 512 every fourth, and so on. That
/// is 64 to 128 rounds of every doubling, 1,400 of 100,000, and which ones they are depends on the round alone, not on how long the job will be.
/// </remarks>
internal static class TrustRatioRecord
{
    public const int MaxLayers = 32;

    private const int RoundsOfEach = 128;

    /// <param name="round">From 1.</param>
    public static bool IsDue(long round) => round % (1L << (int)long.Log2(Math.Max(1, round / RoundsOfEach))) == 0;

    public static ImmutableDictionary<string, double> Of(IReadOnlyList<LayerRatio> ratios)
    {
        var count = Math.Min(MaxLayers, ratios.Count);
        return Enumerable.Range(0, count).Select(i => count == 1 ? 0 : i * (ratios.Count - 1) / (count - 1))
            .Where(place => double.IsFinite(ratios[place].Ratio))
            .ToImmutableDictionary(place => FormattableString.Invariant($"{MetricNames.TrustRatio}{place + 1}.{ratios[place].Layer}"), place => ratios[place].Ratio);
    }
}
