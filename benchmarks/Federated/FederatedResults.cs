using System.Globalization;

namespace Cluster.Benchmarks.Federated;

/// <summary>The initial rates of a row.</summary>
internal readonly record struct FederatedStart(double Beta, double Alpha)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Beta:0.######}, {Alpha}");
}

/// <summary>Rounds to an accuracy, over the seeds.</summary>
/// <param name="Mean">A seed that does not get there counts with its last round.</param>
/// <param name="IsReached">Every seed gets there.</param>
/// <param name="Last">The last round.</param>
internal readonly record struct RoundsToTarget(double Mean, bool IsReached, int Last);

/// <summary>The finished cells of one task, by initial rates and method.</summary>
internal sealed class FederatedResults(IReadOnlyDictionary<FederatedCell, FederatedPoint[]> cells, string task)
{
    private readonly KeyValuePair<FederatedCell, FederatedPoint[]>[] _cells = [.. cells.Where(cell => cell.Key.Task == task)];

    public FederatedStart[] Starts => [.. _cells.Select(cell => new FederatedStart(cell.Key.Beta, cell.Key.Alpha)).Distinct().OrderBy(start => start.Beta).ThenBy(start => start.Alpha)];

    public string[] Methods => [.. FederatedMethods.All.Where(method => _cells.Any(cell => cell.Key.Method == method))];

    /// <summary>One a seed.</summary>
    public (int Seed, FederatedPoint[] Points)[] Curves(FederatedStart start, string method) =>
        [.. from cell in _cells
            where (cell.Key.Beta, cell.Key.Alpha, cell.Key.Method) == (start.Beta, start.Alpha, method)
            orderby cell.Key.Seed
            select (cell.Key.Seed, cell.Value)];

    /// <summary>Mean accuracy over the seeds; null where no cell is finished.</summary>
    public double? Accuracy(FederatedStart start, string method) =>
        Curves(start, method) is { Length: > 0 } curves ? curves.Average(curve => FederatedReport.Accuracy(curve.Points)) : null;

    /// <summary>Accuracy above FedAvg's, over the seeds that both have; null where there is none.</summary>
    public double? Gain(FederatedStart start, string method)
    {
        double[] gains =
        [
            .. from mine in Curves(start, method)
               join other in Curves(start, FederatedMethods.FedAvg) on mine.Seed equals other.Seed
               select FederatedReport.Accuracy(mine.Points) - FederatedReport.Accuracy(other.Points),
        ];
        return gains.Length > 0 ? gains.Average() : null;
    }

    /// <param name="seeds">Only these; null: all.</param>
    public RoundsToTarget? RoundsTo(FederatedStart start, string method, double target, IReadOnlyCollection<int>? seeds = null)
    {
        var curves = Curves(start, method).Where(curve => seeds is null || seeds.Contains(curve.Seed)).ToArray();
        if (curves.Length == 0) { return null; }

        int?[] rounds = [.. curves.Select(curve => curve.Points.FirstOrDefault(point => point.Accuracy >= target)?.Round)];
        var last = curves.Max(curve => curve.Points[^1].Round);
        return new RoundsToTarget(rounds.Average(round => round ?? last), rounds.All(round => round is not null), last);
    }

    /// <summary>FedAvg's rounds over the method's, over the seeds that both have; at least that, where FedAvg did not get there.</summary>
    public (double Value, bool IsAtLeast)? Ratio(FederatedStart start, string method, double target)
    {
        var seeds = Curves(start, FederatedMethods.FedAvg).Select(curve => curve.Seed).Intersect(Curves(start, method).Select(curve => curve.Seed)).ToArray();
        return RoundsTo(start, method, target, seeds) is { } mine && RoundsTo(start, FederatedMethods.FedAvg, target, seeds) is { } other
            ? (other.Mean / mine.Mean, !other.IsReached)
            : null;
    }
}
