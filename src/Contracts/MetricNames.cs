namespace Cluster.Contracts;

/// <summary>Names of values that more than one part must know.</summary>
public static class MetricNames
{
    /// <summary>Before a layer's number among those that are adapted, from 1, and its name. By the number they are in the model's order.</summary>
    public const string TrustRatio = "trustRatio.";

    /// <summary>What a person reads in a list, by name. Dozens of layers are for a picture: the job's page and <c>cluster report</c> have it.</summary>
    public static IEnumerable<KeyValuePair<string, T>> Listed<T>(this IEnumerable<KeyValuePair<string, T>> metrics) =>
        metrics.Where(metric => !metric.Key.StartsWith(TrustRatio, StringComparison.Ordinal)).OrderBy(metric => metric.Key, StringComparer.Ordinal);
}
