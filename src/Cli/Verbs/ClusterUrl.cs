using Cluster.Cli.Up;
using Cluster.Contracts;
using Cluster.Contracts.Api;

namespace Cluster.Cli.Verbs;

/// <summary>Which cluster a verb is for.</summary>
internal static class ClusterUrl
{
    public const string Variable = "CLUSTER_URL";

    /// <param name="option">The value of <c>--cluster</c>, or null.</param>
    /// <param name="variable">The value of <c>CLUSTER_URL</c>, or null or empty.</param>
    /// <param name="store">Where <c>cluster up</c> may have left its address.</param>
    /// <exception cref="BadInputException">What the user named is no address.</exception>
    public static Uri Of(string? option, string? variable, string store)
    {
        if (option is not null) { return Parse("--cluster", option); }
        return !string.IsNullOrEmpty(variable) ? Parse(Variable, variable) : new Uri(AddressFile.Read(store)?.Url ?? ClusterView.DefaultUrl);
    }

    private static Uri Parse(string name, string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is ("http" or "https")
            ? url
            : throw new BadInputException($"{name}: found '{text}', allowed: an address such as {ClusterView.DefaultUrl}");
}
