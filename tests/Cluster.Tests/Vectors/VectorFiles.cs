namespace Cluster.Tests.Vectors;

/// <summary>
/// The reference vectors: the files that ship in this folder, and those of the folder that CLUSTER_VECTORS names, which is laid
/// out in the same way (<c>lamb/*.json</c> and so on).
/// </summary>
internal static class VectorFiles
{
    public static IEnumerable<string> Of(string family) => Folders()
        .Select(folder => Path.Combine(folder, family))
        .Where(Directory.Exists)
        .SelectMany(folder => Directory.EnumerateFiles(folder, "*.json").Order(StringComparer.Ordinal));

    private static IEnumerable<string> Folders()
    {
        yield return Path.Combine(AppContext.BaseDirectory, "Vectors");
        if (Environment.GetEnvironmentVariable("CLUSTER_VECTORS") is { Length: > 0 } more) { yield return more; }
    }
}
