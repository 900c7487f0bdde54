using System.Collections.Immutable;

namespace Cluster.Contracts.Jobs;

/// <summary>All curves of a job from its beginning, at most 400 points each, whatever its length.</summary>
/// <param name="RoundsPerPoint">Rounds that one point stands for: 1 for short jobs, then 2, 4, 8 and so on.</param>
/// <param name="Rounds">The last round of each point, rising.</param>
/// <param name="SamplesSeen">Training samples since the job began, at each point.</param>
/// <param name="Series">
/// By name: the names of <see cref="RoundSample.Values"/>, and <c>samplesPerSecond</c>. At most 72; where a job has more, the first
/// that it told.
/// </param>
/// <param name="LastSample">Number of the newest sample in it: events asked for after this one go on where it ends.</param>
[GenerateSerializer, Immutable, Alias("cluster.metrics-view")]
public sealed record MetricsView(
    [property: Id(0)] long RoundsPerPoint,
    [property: Id(1)] ImmutableArray<long> Rounds,
    [property: Id(2)] ImmutableArray<long> SamplesSeen,
    [property: Id(3)] ImmutableDictionary<string, MetricSeries> Series,
    [property: Id(4)] long LastSample);

/// <summary>One curve; null where a point has no finite value of it.</summary>
/// <param name="Mean">Over the rounds of each point.</param>
/// <param name="Min">The least of them; empty where a point is one round. So is the next.</param>
[GenerateSerializer, Immutable, Alias("cluster.metric-series")]
public sealed record MetricSeries(
    [property: Id(0)] ImmutableArray<double?> Mean,
    [property: Id(1)] ImmutableArray<double?> Min,
    [property: Id(2)] ImmutableArray<double?> Max);
