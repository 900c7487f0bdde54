using Cluster.Contracts;
using Cluster.Contracts.Api;
using Microsoft.Extensions.Configuration;

namespace Cluster.Dashboard;

/// <summary>Where the API listens and where jobs lie. Validated when it is made: see the keys at the top of Program.cs.</summary>
public sealed record ApiSettings
{
    /// <summary>Addresses to listen on, separated by semicolons; port 0 lets the system choose.</summary>
    public string Urls { get; init; } = ClusterView.DefaultUrl;

    /// <summary>Root of the job folders, as this process and the workers see it.</summary>
    public string Store { get; init; } = ".cluster";

    /// <summary>Folders in which relative data paths are looked for after those of the submission, as the workers see them.</summary>
    public IReadOnlyList<string> DataRoots { get; init; } = [];

    /// <summary>Where workers reach the control plane; shown to people.</summary>
    public required string Gateway { get; init; }

    /// <summary>Listen also where other machines can connect. Nobody has to say who they are: whoever reaches the port commands the cluster.</summary>
    public bool AllowRemote { get; init; }

    /// <summary>Whoever knows it may end the process through the API; null when nobody may.</summary>
    public string? ShutdownSecret { get; init; }

    /// <summary>The addresses one by one.</summary>
    /// <exception cref="BadInputException">One is not an address, or open to others without being allowed to.</exception>
    public IReadOnlyList<Uri> Addresses()
    {
        Uri[] addresses = [.. Urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(Address)];
        return addresses is [] ? throw new BadInputException($"Cluster:Urls is empty: an address such as {ClusterView.DefaultUrl} is needed") : addresses;
    }

    /// <exception cref="BadInputException">A value is not what the key takes.</exception>
    public static ApiSettings From(IConfiguration configuration, string gateway)
    {
        var cluster = configuration.GetSection("Cluster");
        var defaults = new ApiSettings { Gateway = gateway };
        return new()
        {
            Urls = cluster["Urls"] ?? defaults.Urls,
            Store = Path.GetFullPath(cluster["Store"] is { Length: > 0 } store ? store : defaults.Store),
            DataRoots = [.. (cluster["Data"] ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Select(Path.GetFullPath)],
            Gateway = gateway,
            AllowRemote = cluster["AllowRemote"] switch
            {
                null => false,
                var text when bool.TryParse(text, out var truth) => truth,
                var text => throw new BadInputException($"Cluster:AllowRemote is '{text}': true or false is needed"),
            },
        };
    }

    private Uri Address(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") || url.PathAndQuery != "/")
        {
            throw new BadInputException($"Cluster:Urls names '{text}': an address such as {ClusterView.DefaultUrl} is needed");
        }

        return url.IsLoopback || AllowRemote ? url : throw new BadInputException(
            $"Cluster:Urls names '{text}', which other machines can reach, and the API does not ask who they are: name a loopback address such as {ClusterView.DefaultUrl}, or set Cluster:AllowRemote to true where the network keeps strangers out");
    }
}
