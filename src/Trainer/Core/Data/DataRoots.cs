using Cluster.Contracts;

namespace Cluster.Trainer.Core.Data;

/// <summary>
/// The folders under which a spec's relative data path is looked for, first found first taken: the folder of the spec file,
/// <c>--data</c>, <c>CLUSTER_DATA</c>, the samples that ship, and where <c>cluster data get</c> puts things.
/// </summary>
internal static class DataRoots
{
    public const string Variable = "CLUSTER_DATA";

    /// <summary>The samples that ship. The build copies <c>samples/data</c> beside every program, a publish too.</summary>
    public static string Shipped => Path.Combine(AppContext.BaseDirectory, "data");

    /// <summary>
    /// Where downloads go by default: <c>cluster/data</c> in the user's folder for application data
    /// (<c>~/.local/share</c> on Linux); null when the user has none.
    /// </summary>
    public static string? Downloads =>
        Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify) is { Length: > 0 } home
            ? Path.Combine(home, "cluster", "data")
            : null;

    /// <summary>The roots in order, as full paths.</summary>
    /// <param name="specFile">The spec's path, or null when it did not come from a file.</param>
    /// <param name="dataFolder">The value of <c>--data</c>, or null.</param>
    /// <param name="variable">The value of <c>CLUSTER_DATA</c>, or null or empty.</param>
    /// <exception cref="BadInputException">A folder that the user named does not exist.</exception>
    public static IReadOnlyList<string> Of(string? specFile, string? dataFolder, string? variable)
    {
        var roots = new List<string>();
        if (specFile is not null) { roots.Add(Path.GetDirectoryName(Path.GetFullPath(specFile))!); }
        if (dataFolder is not null) { roots.Add(Existing("--data", dataFolder)); }
        if (!string.IsNullOrEmpty(variable)) { roots.Add(Existing(Variable, variable)); }
        roots.Add(Shipped);
        if (Downloads is { } downloads) { roots.Add(downloads); }
        return [.. roots.Distinct()];
    }

    private static string Existing(string name, string folder)
    {
        if (Directory.Exists(folder)) { return Path.GetFullPath(folder); }
        throw new BadInputException(File.Exists(folder)
            ? $"{name} names '{folder}', which is a file; a folder is expected"
            : $"{name} names '{folder}', but there is no such folder");
    }
}
