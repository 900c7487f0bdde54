namespace Cluster.Benchmarks;

internal static class Statistics
{
    /// <summary>The middle value; of an even number the upper one of the two, NaN of nothing.</summary>
    public static double Median(IReadOnlyCollection<double> values) =>
        values.Count == 0 ? double.NaN : values.Order().ElementAt(values.Count / 2);

    /// <summary>The smallest value that so large a share of all do not exceed (nearest rank); NaN of nothing.</summary>
    public static double Quantile(IReadOnlyCollection<double> values, double share) =>
        values.Count == 0 ? double.NaN : values.Order().ElementAt((int)Math.Ceiling(share * values.Count) - 1);
}
