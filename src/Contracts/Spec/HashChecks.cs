namespace Cluster.Contracts.Spec;

/// <summary>The rule of the hashes by which a spec knows files.</summary>
internal static class HashChecks
{
    public static void Sha256(string? hash, string path, SpecReport report)
    {
        if (hash is not null && !Sha256Text.IsValid(hash))
        {
            report.Broken(path, Quote.Show(hash), "64 lower-case hex digits, or no such key to have it recorded");
        }
    }
}
