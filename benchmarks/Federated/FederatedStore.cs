using System.Globalization;

namespace Cluster.Benchmarks.Federated;

/// <summary>The table in a folder: <c>cells.csv</c> has a line for each finished cell, <c>curves.csv</c> one for each of its rounds.</summary>
internal sealed class FederatedStore
{
    private readonly string _cells;
    private readonly string _curves;

    public FederatedStore(string folder)
    {
        Directory.CreateDirectory(folder);
        (_cells, _curves) = (Path.Combine(folder, "cells.csv"), Path.Combine(folder, "curves.csv"));
    }

    /// <summary>Finished cells and their curves.</summary>
    public IReadOnlyDictionary<FederatedCell, FederatedPoint[]> Read()
    {
        var finished = CsvTable.Read(_cells).Select(c => FederatedCell.Parse(c)).ToHashSet();
        return CsvTable.Read(_curves)
            .Select(c => (Cell: FederatedCell.Parse(c), Point: FederatedPoint.Parse(c.AsSpan(5))))
            .Where(line => finished.Contains(line.Cell))
            .GroupBy(line => line.Cell)
            .ToDictionary(
                lines => lines.Key,
                // Twice the same round: the process ended between curve and cell, and the cell was run again.
                lines => lines.GroupBy(line => line.Point.Round).Select(round => round.Last().Point).OrderBy(point => point.Round).ToArray());
    }

    /// <summary>The curve first: a cell that has its line is whole.</summary>
    public void Add(FederatedCell cell, IReadOnlyList<FederatedPoint> curve, double seconds)
    {
        CsvTable.Append(_curves, $"{FederatedCell.Columns},{FederatedPoint.Columns}", curve.Select(point => $"{cell},{point}"));
        CsvTable.Append(_cells, $"{FederatedCell.Columns},accuracy,seconds", [string.Create(CultureInfo.InvariantCulture, $"{cell},{FederatedReport.Accuracy(curve):F4},{seconds:F1}")]);
    }
}
