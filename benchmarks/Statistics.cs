using System.Globalization;

namespace Cluster.Benchmarks;

internal static class Statistics
{
    /// <summary>The middle value; of an even number the upper one of the two, NaN of nothing.</summary>
    public static double Median(IReadOnlyCollection<double> values) =>
        values.Count == 0 ? double.NaN : values.Order().ElementAt(values.Count / 2);

    /// <summary>The smallest value that so large a share of all do not exceed (nearest rank); NaN of nothing.</summary>
    public static double Quantile(IReadOnlyCollection<double> values, double share) =>
        values.Count == 0 ? double.NaN : values.Order().ElementAt((int)Math.Ceiling(share * values.Count) - 1);

    /// <summary>Prints a row of a table of two columns.</summary>
    public static void PrintRow(string what, FormattableString value) => Console.WriteLine($"| {what} | {value.ToString(CultureInfo.InvariantCulture)} |");

    /// <summary>Mean and standard deviation (of a sample: n - 1) for a table; of one value itself, and a dash for nothing.</summary>
    public static string Summary(IReadOnlyCollection<double> values)
    {
        if (values.Count == 0) { return "-"; }
        var mean = values.Average();
        if (values.Count == 1) { return string.Create(CultureInfo.InvariantCulture, $"{mean:F2}"); }
        var deviation = Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Count - 1));
        return string.Create(CultureInfo.InvariantCulture, $"{mean:F2} ± {deviation:F2}");
    }
}
