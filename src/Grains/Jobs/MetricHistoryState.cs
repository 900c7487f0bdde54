using System.Collections.Immutable;

namespace Cluster.Grains.Jobs;

/// <summary><see cref="MetricHistory"/> as it is stored.</summary>
[GenerateSerializer, Immutable, Alias("cluster.metric-history-state")]
internal sealed record MetricHistoryState
{
    [Id(0)] public long RoundsPerPoint { get; init; } = 1;

    /// <summary>A name's place is that of its cell in each point.</summary>
    [Id(1)] public ImmutableArray<string> Names { get; init; } = [];

    /// <summary>Oldest first.</summary>
    [Id(2)] public ImmutableArray<HistoryPoint> Points { get; init; } = [];
}

/// <param name="Round">The last round in it.</param>
/// <param name="Cells">By the places of names; those behind its end are empty.</param>
[GenerateSerializer, Immutable, Alias("cluster.history-point")]
internal sealed record HistoryPoint([property: Id(0)] long Round, [property: Id(1)] long SamplesSeen, [property: Id(2)] ImmutableArray<HistoryCell> Cells)
{
    public HistoryCell At(int place) => place < Cells.Length ? Cells[place] : default;

    /// <summary>Both as one; the other is the later.</summary>
    public HistoryPoint With(HistoryPoint later) => new(
        later.Round, later.SamplesSeen, [.. Enumerable.Range(0, Math.Max(Cells.Length, later.Cells.Length)).Select(place => At(place).With(later.At(place)))]);
}

/// <summary>So many values of one name.</summary>
[GenerateSerializer, Immutable, Alias("cluster.history-cell")]
internal readonly record struct HistoryCell([property: Id(0)] double Sum, [property: Id(1)] int Count, [property: Id(2)] double Min, [property: Id(3)] double Max)
{
    public HistoryCell With(HistoryCell other) =>
        Count == 0 ? other
        : other.Count == 0 ? this
        : new(Sum + other.Sum, Count + other.Count, Math.Min(Min, other.Min), Math.Max(Max, other.Max));
}
