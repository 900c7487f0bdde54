using System.Collections.Immutable;
using Cluster.Contracts.Jobs;

namespace Cluster.Cli.Curves;

/// <summary>
/// A job's curves as a table: a row for each point, by round, and a column for each curve (<c>loss</c>), with its least and greatest value
/// beside it (<c>loss.min</c>, <c>loss.max</c>) where a point stands for several rounds.
/// </summary>
/// <param name="Rounds">The last round of each point, rising.</param>
/// <param name="SamplesSeen">Training samples since the job began.</param>
/// <param name="Columns">By name; null where a point has no finite value.</param>
internal sealed record CurveTable(ImmutableArray<long> Rounds, ImmutableArray<long> SamplesSeen, IReadOnlyList<(string Name, ImmutableArray<double?> Values)> Columns)
{
    public static CurveTable Of(MetricsView metrics) => new(metrics.Rounds, metrics.SamplesSeen,
    [
        .. metrics.Series.OrderBy(series => series.Key, StringComparer.Ordinal).SelectMany(series => ((string Name, ImmutableArray<double?> Values)[])
        [
            (series.Key, series.Value.Mean), ($"{series.Key}.min", series.Value.Min), ($"{series.Key}.max", series.Value.Max),
        ]).Where(column => !column.Values.IsDefaultOrEmpty),
    ]);
}
