using System.Globalization;

namespace Cluster.Benchmarks.Federated;

/// <summary>
/// What is to be expected of FedHyper at this size, from runs of another implementation in other numbers: seven relations between
/// mean accuracies, in points of 100. Each line says what is asked, what was measured, and whether it held.
/// </summary>
internal static class FederatedRelations
{
    private const string FedAvg = FederatedMethods.FedAvg, G = FederatedMethods.G, SL = FederatedMethods.SL, CL = FederatedMethods.CL, GCL = FederatedMethods.GCL;

    private static readonly string[] s_local = [SL, CL, GCL];

    public static IEnumerable<string> Of(IReadOnlyDictionary<FederatedCell, FederatedPoint[]> cells)
    {
        var mnist = new FederatedResults(cells, "mnist");
        double[] betas = [0.001, 0.01, 0.1];

        yield return Line("1a", "β(0) = 0.001: SL, CL and G+CL above FedAvg by 15 or more", Each(s_local, m => 100 * mnist.Gain(At(0.001), m), v => v >= 15));
        yield return Line("1b", "β(0) = 0.001: SL, CL and G+CL reach 88", Each(s_local, m => 100 * mnist.Accuracy(At(0.001), m), v => v >= 88));
        yield return Line("2a", "β(0) = 0.01: SL, CL and G+CL above FedAvg by 1.5 or more", Each(s_local, m => 100 * mnist.Gain(At(0.01), m), v => v >= 1.5));
        yield return Line("2b", "β(0) = 0.01: rounds to 80 % at most 0.75 of FedAvg's", Each(s_local, m => 1 / mnist.Ratio(At(0.01), m, FederatedTask.Of("mnist").Target)?.Value, v => v <= 0.75));
        yield return Line("3", "β(0) = 0.1: G, SL, CL and G+CL lose at most 2 to FedAvg", Each([G, .. s_local], m => 100 * mnist.Gain(At(0.1), m), v => v >= -2));
        yield return Line("4a", "spread over β(0) = 0.001, 0.01, 0.1: FedAvg more than 20", Each([FedAvg], m => Spread(mnist, m, betas), v => v > 20));
        yield return Line("4b", "spread over β(0) = 0.001, 0.01, 0.1: SL, CL and G+CL less than 2", Each(s_local, m => Spread(mnist, m, betas), v => v < 2));
        yield return Line("5a", "α(0) = 0.5, β(0) = 0.01: G above FedAvg by 0.8 or more", Each([G], m => 100 * mnist.Gain(new(0.01, 0.5), m), v => v >= 0.8));
        yield return Line("5b", "α(0) = 0.5, β(0) = 0.01: G's α ends between 0.75 and 1", Each([G], m => LastAlpha(mnist, m), v => v is >= 0.75 and <= 1));
        yield return Line("6", "β(0) = 0.001: G within 1 of FedAvg", Each([G], m => 100 * mnist.Gain(At(0.001), m), v => Math.Abs(v) <= 1));
        foreach (var line in Text(cells, "text-sgd", FederatedTask.SgdTextRates)) { yield return line; }
        foreach (var line in Text(cells, "text", FederatedTask.TextRates)) { yield return line; }
    }

    /// <summary>The seventh, in the form for one task.</summary>
    private static IEnumerable<string> Text(IReadOnlyDictionary<FederatedCell, FederatedPoint[]> cells, string task, double[] betas)
    {
        var text = new FederatedResults(cells, task);
        var (far, near) = (At(betas[0]), At(betas[1]));
        yield return Line("7a", $"{task}, β(0) far too small: FedAvg stays at the base rate, 16.2, or within 2 above it", Each([FedAvg], m => 100 * (text.Accuracy(far, m) - FederatedTask.TextBaseRate), v => v <= 2));
        yield return Line("7b", $"{task}, β(0) far too small: SL above FedAvg by 15 or more", Each([SL], m => 100 * text.Gain(far, m), v => v >= 15));
        yield return Line("7c", $"{task}, β(0) far too small: CL above FedAvg by 12 or more", Each([CL], m => 100 * text.Gain(far, m), v => v >= 12));
        yield return Line("7d", $"{task}, β(0) small: G above FedAvg by 2 or more", Each([G], m => 100 * text.Gain(near, m), v => v >= 2));
    }

    private static FederatedStart At(double beta) => new(beta, 1);

    private static double? Spread(FederatedResults results, string method, double[] betas)
    {
        double?[] values = [.. betas.Select(beta => 100 * results.Accuracy(At(beta), method))];
        return values.Any(value => value is null) ? null : values.Max() - values.Min();
    }

    private static double? LastAlpha(FederatedResults mnist, string method) =>
        mnist.Curves(new(0.01, 0.5), method) is { Length: > 0 } curves ? curves.Average(curve => curve.Points[^1].Alpha) : null;

    private static (string Measured, bool? Holds) Each(IReadOnlyList<string> methods, Func<string, double?> measure, Func<double, bool> holds)
    {
        double?[] values = [.. methods.Select(measure)];
        var measured = string.Join(", ", methods.Zip(values, (method, value) => $"{method} {(value is { } v ? v.ToString("0.00", CultureInfo.InvariantCulture) : "-")}"));
        return (measured, values.Any(value => value is null) ? null : values.All(value => holds(value!.Value)));
    }

    private static string Line(string number, string asked, (string Measured, bool? Holds) outcome) =>
        $"- {number} {(outcome.Holds switch { true => "held", false => "**did not hold**", null => "not measured" })}: {asked}; measured {outcome.Measured}";
}
