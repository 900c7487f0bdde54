using System.Globalization;

namespace Cluster.Benchmarks.Federated;

/// <summary>The table as markdown.</summary>
internal static class FederatedReport
{
    /// <summary>The accuracy of a cell is the mean over so many last rounds: one round's depends on which clients it sampled.</summary>
    private const int LastRounds = 5;

    public static double Accuracy(IReadOnlyList<FederatedPoint> curve) => curve.TakeLast(LastRounds).Average(point => point.Accuracy);

    public static void Print(IReadOnlyDictionary<FederatedCell, FederatedPoint[]> cells)
    {
        foreach (var task in FederatedTask.All)
        {
            var results = new FederatedResults(cells, task.Name);
            if (results.Starts.Length == 0) { continue; }

            Console.WriteLine($"### {task.Name}\n");
            Console.WriteLine($"Accuracy in %, mean of the last {LastRounds} rounds; mean ± standard deviation over the seeds (their number, where it is not 3).\n");
            Table(results, Accuracies);
            Console.WriteLine($"\nPoints above FedAvg with the same initial rates and seeds.\n");
            Table(results, Gain);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"\nRounds to {100 * task.Target:F0} %, mean over the seeds; in brackets FedAvg's over it (≥: FedAvg did not get there).\n"));
            Table(results, (r, start, method) => Rounds(r, start, method, task.Target));
            Console.WriteLine();
        }

        Console.WriteLine("### Relations\n");
        foreach (var relation in FederatedRelations.Of(cells)) { Console.WriteLine(relation); }
    }

    private static void Table(FederatedResults results, Func<FederatedResults, FederatedStart, string, string> text)
    {
        Console.WriteLine($"| β(0), α(0) | {string.Join(" | ", results.Methods)} |");
        Console.WriteLine($"|---|{string.Concat(results.Methods.Select(_ => "---:|"))}");
        foreach (var start in results.Starts)
        {
            Console.WriteLine($"| {start} | {string.Join(" | ", results.Methods.Select(method => text(results, start, method)))} |");
        }
    }

    private static string Accuracies(FederatedResults results, FederatedStart start, string method)
    {
        double[] values = [.. results.Curves(start, method).Select(curve => 100 * Accuracy(curve.Points))];
        if (values.Length == 0) { return ""; }

        var mean = values.Average();
        if (values.Length == 1) { return string.Create(CultureInfo.InvariantCulture, $"{mean:F1} (1)"); }

        var deviation = Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Length - 1));
        return string.Create(CultureInfo.InvariantCulture, $"{mean:F1} ± {deviation:F1}{(values.Length == 3 ? "" : $" ({values.Length})")}");
    }

    private static string Gain(FederatedResults results, FederatedStart start, string method) =>
        method != FederatedMethods.FedAvg && results.Gain(start, method) is { } gain ? string.Create(CultureInfo.InvariantCulture, $"{100 * gain:+0.0;-0.0}") : "";

    private static string Rounds(FederatedResults results, FederatedStart start, string method, double target)
    {
        if (results.RoundsTo(start, method, target) is not { } mine) { return ""; }
        if (!mine.IsReached) { return string.Create(CultureInfo.InvariantCulture, $"> {mine.Last}"); }
        if (method == FederatedMethods.FedAvg || results.Ratio(start, method, target) is not { } ratio) { return string.Create(CultureInfo.InvariantCulture, $"{mine.Mean:F1}"); }
        return string.Create(CultureInfo.InvariantCulture, $"{mine.Mean:F1} ({(ratio.IsAtLeast ? "≥ " : "")}{ratio.Value:F1})");
    }
}
