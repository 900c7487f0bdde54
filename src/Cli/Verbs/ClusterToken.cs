using Cluster.Cli.Up;
using Cluster.Contracts;

namespace Cluster.Cli.Verbs;

/// <summary>Whose name a verb asks in. A token comes from a file or the environment: what stands in a command line, every user of a machine sees.</summary>
internal static class ClusterToken
{
    private const int MaxBytes = 64 << 10;

    /// <param name="option">The value of <c>--token-file</c>, or null.</param>
    /// <param name="variable">The value of <c>CLUSTER_TOKEN</c>, or null or empty.</param>
    /// <param name="url">The cluster that it is for.</param>
    /// <param name="store">Where <c>cluster up</c> may have left what its starter needs, for that cluster alone.</param>
    /// <returns>Null where none is given.</returns>
    /// <exception cref="BadInputException">The file cannot be read.</exception>
    public static string? Of(string? option, string? variable, Uri url, string store)
    {
        if (option is not null) { return Read(option); }
        if (!string.IsNullOrEmpty(variable)) { return variable.Trim(); }
        return AddressFile.Read(store) is { } address && new Uri(address.Url) == url ? address.Secret : null;
    }

    private static string Read(string path)
    {
        try
        {
            return new FileInfo(path).Length <= MaxBytes ? File.ReadAllText(path).Trim() : throw new BadInputException($"--token-file: {path} is too large to hold a token");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"--token-file: {path} cannot be read: {e.Message}");
        }
    }
}
