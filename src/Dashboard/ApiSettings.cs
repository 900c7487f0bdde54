using System.Globalization;
using Cluster.Contracts;
using Cluster.Contracts.Api;
using Cluster.Dashboard.Access;
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

    /// <summary>Listen also where other machines can connect. Refused unless callers must say who they are.</summary>
    public bool AllowRemote { get; init; }

    /// <summary>The file of tokens; null for <c>tokens.json</c> in the store, which need not be there.</summary>
    public string? Tokens { get; init; }

    /// <summary>A provider whose access tokens are good here too; null for none.</summary>
    public OidcSettings? Oidc { get; init; }

    /// <summary>Requests that one caller may send a second, over time.</summary>
    public int RequestsPerSecond { get; init; } = 200;

    /// <summary>Requests that strangers at one address may send a second: for a log-in page, what it loads, and a few mistakes.</summary>
    public int StrangersPerSecond { get; init; } = 10;

    /// <summary>Event streams that one caller may have open.</summary>
    public int StreamsPerCaller { get; init; } = 512;

    /// <summary>Of an uploaded file, in units of 2^20 bytes.</summary>
    public int MaxUploadMegabytes { get; init; } = 256;

    /// <summary>The same in bytes.</summary>
    public long MaxUploadBytes => (long)MaxUploadMegabytes << 20;

    public TokenFile TokenFile => new(Tokens ?? Path.Combine(Store, TokenFile.DefaultName));

    /// <summary>Callers must say who they are: there is a file of tokens, or a provider.</summary>
    public bool IsGuarded => Oidc is not null || TokenFile.Exists;

    /// <summary>Whoever knows it may end the process through the API; null when nobody may.</summary>
    public string? ShutdownSecret { get; init; }

    /// <summary>Whether callers are asked who they are, in a sentence for people.</summary>
    public string Guard => IsGuarded
        ? "Callers need a token."
        : $"Nobody is asked who they are: it listens on loopback alone, and there are no tokens in {TokenFile.Path}.";

    /// <summary>The addresses one by one.</summary>
    /// <exception cref="BadInputException">One is not an address, or open to others without being allowed to, or the tokens are missing.</exception>
    public IReadOnlyList<Uri> Addresses()
    {
        if (Tokens is not null && !TokenFile.Exists)
        {
            throw new BadInputException($"Cluster:Tokens names {TokenFile.Path}, which is not there: make it with 'cluster token create --role admin --file {TokenFile.Path}'");
        }

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
            Tokens = cluster["Tokens"] is { Length: > 0 } tokens ? tokens : null,
            Oidc = OidcSettings.From(cluster.GetSection("Oidc")),
            RequestsPerSecond = Number(cluster, "RequestsPerSecond", defaults.RequestsPerSecond),
            StrangersPerSecond = Number(cluster, "StrangersPerSecond", defaults.StrangersPerSecond),
            StreamsPerCaller = Number(cluster, "StreamsPerCaller", defaults.StreamsPerCaller),
            MaxUploadMegabytes = Number(cluster, "MaxUploadMegabytes", defaults.MaxUploadMegabytes),
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

        if (url.IsLoopback) { return url; }
        if (!AllowRemote)
        {
            throw new BadInputException($"Cluster:Urls names '{text}', which other machines can reach: name a loopback address such as {ClusterView.DefaultUrl}, or set Cluster:AllowRemote to true");
        }

        return IsGuarded ? url : throw new BadInputException(
            $"Cluster:Urls names '{text}', which other machines can reach, and there are no tokens in {TokenFile.Path}: make one first with 'cluster token create --role admin --file {TokenFile.Path}'");
    }

    private static int Number(IConfiguration cluster, string key, int byDefault) => cluster[key] switch
    {
        null => byDefault,
        var text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= 1_000_000 => number,
        var text => throw new BadInputException($"Cluster:{key} is '{text}': a whole number from 1 to 1000000 is needed"),
    };
}
