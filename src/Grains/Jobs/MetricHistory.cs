using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Cluster.Contracts.Jobs;

namespace Cluster.Grains.Jobs;

/// <summary>
/// A job's curves from its first round on, in bounded room: a point stands for a fixed number of rounds, and when there are too
/// many points, that number doubles and neighbours become one. So a point's place depends on its rounds alone, and mean, least and
/// greatest value are those of all its rounds.
/// </summary>
internal sealed class MetricHistory(MetricHistoryState stored)
{
    public const int MaxPoints = 400;

    /// <summary>The common ones, four of each of 14 layers of forward-forward or 32 trust ratios, and some more.</summary>
    public const int MaxNames = 72;

    /// <summary>The name of the training samples a second, which no worker tells.</summary>
    public const string Rate = "samplesPerSecond";

    /// <summary>Have their place, however many names a method adds.</summary>
    private static readonly ImmutableArray<string> s_first = ["loss", "accuracy", "lr", "evalLoss", "evalAccuracy", Rate];

    private readonly List<string> _names = [.. stored.Names.IsEmpty ? s_first : stored.Names];
    private readonly List<HistoryPoint> _points = [.. stored.Points];
    private long _roundsPerPoint = stored.RoundsPerPoint;

    /// <summary>Rounds come in order. What is not finite leaves a gap.</summary>
    public void Add(long round, long samplesSeen, IEnumerable<KeyValuePair<string, double>> values)
    {
        var isSame = _points is [.., var last] && last.Round / _roundsPerPoint == round / _roundsPerPoint;
        var cells = isSame ? _points[^1].Cells.ToBuilder() : ImmutableArray.CreateBuilder<HistoryCell>(_names.Count);
        foreach (var (name, value) in values)
        {
            if (!double.IsFinite(value) || PlaceOf(name) is not { } place) { continue; }
            while (cells.Count <= place) { cells.Add(default); }
            cells[place] = cells[place].With(new(value, 1, value, value));
        }

        var point = new HistoryPoint(round, samplesSeen, cells.ToImmutable());
        if (isSame) { _points[^1] = point; } else { _points.Add(point); }
        while (_points.Count > MaxPoints) { Halve(); }
    }

    public MetricsView View(long lastSample) => new(
        _roundsPerPoint,
        [.. _points.Select(p => p.Round)],
        [.. _points.Select(p => p.SamplesSeen)],
        _names.Select((name, place) => (name, place)).Where(n => _points.Any(p => p.At(n.place).Count > 0)).ToImmutableDictionary(n => n.name, n => Series(n.place)),
        lastSample);

    public MetricHistoryState ToState() => new() { RoundsPerPoint = _roundsPerPoint, Names = [.. _names], Points = [.. _points] };

    private MetricSeries Series(int place) => new(
        Column(place, cell => cell.Sum / cell.Count),
        _roundsPerPoint == 1 ? [] : Column(place, cell => cell.Min),
        _roundsPerPoint == 1 ? [] : Column(place, cell => cell.Max));

    private ImmutableArray<double?> Column(int place, Func<HistoryCell, double> value) =>
        [.. _points.Select(p => p.At(place) is { Count: > 0 } cell ? value(cell) : (double?)null)];

    private int? PlaceOf(string name)
    {
        var place = _names.IndexOf(name);
        if (place >= 0 || _names.Count == MaxNames) { return place >= 0 ? place : null; }
        _names.Add(name);
        return _names.Count - 1;
    }

    private void Halve()
    {
        _roundsPerPoint *= 2;
        var kept = 0;
        foreach (var point in CollectionsMarshal.AsSpan(_points))
        {
            if (kept > 0 && _points[kept - 1].Round / _roundsPerPoint == point.Round / _roundsPerPoint) { _points[kept - 1] = _points[kept - 1].With(point); }
            else { _points[kept++] = point; }
        }

        _points.RemoveRange(kept, _points.Count - kept);
    }
}
