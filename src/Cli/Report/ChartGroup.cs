using System.Collections.Immutable;
using Cluster.Contracts.Jobs;

namespace Cluster.Cli.Report;

/// <summary>Curves that belong in one picture.</summary>
/// <param name="Names">Of the curves, in order.</param>
internal sealed record ChartGroup(string Title, ImmutableArray<string> Names)
{
    private static readonly (string Title, string[] Names)[] s_first =
    [
        ("loss", ["loss", "evalLoss"]), ("accuracy", ["accuracy", "evalAccuracy"]), ("learning rate", ["lr"]), ("gradient norm", ["gradientNorm"]), ("samples a second", ["samplesPerSecond"]),
    ];

    /// <summary>
    /// What every method has, and then the method's own: the layers of a network beside each other (<c>layer1.goodness</c>, <c>layer2.goodness</c>),
    /// so the data sets of an evaluation (<c>evalLoss.english</c>), and all others each alone.
    /// </summary>
    public static IEnumerable<ChartGroup> Of(MetricsView metrics)
    {
        var shown = new HashSet<string>();
        foreach (var (title, names) in s_first)
        {
            if (names.Where(metrics.Series.ContainsKey).ToImmutableArray() is { IsEmpty: false } there)
            {
                shown.UnionWith(there);
                yield return new(title, there);
            }
        }

        foreach (var group in metrics.Series.Keys.Where(name => !shown.Contains(name)).GroupBy(TitleOf).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            yield return new(group.Key, [.. group.OrderBy(name => name.Length).ThenBy(name => name, StringComparer.Ordinal)]);
        }
    }

    private static string TitleOf(string name) => name.Split('.', 2) switch
    {
        [var layer, var what] when layer.StartsWith("layer", StringComparison.Ordinal) => $"{what} by layer",
        [var what, _] => $"{what} by name",
        _ => name,
    };
}
