namespace Cluster.Contracts;

/// <summary>
/// Files that were handed to the cluster: <c>STORE/uploads/NAME/SHA256</c>, one file in each folder, whose name is the hash of its bytes. A spec
/// names one as <c>upload:NAME</c>. The folder appears and vanishes in one step, so a name never has the hash of other bytes.
/// </summary>
public static class Uploads
{
    public const string Folder = "uploads";

    /// <summary>What stands before a name in a spec.</summary>
    public const string Prefix = "upload:";

    /// <summary>The name, for what a spec calls an uploaded file; null for any other path.</summary>
    public static string? NameOf(string path) => path.StartsWith(Prefix, StringComparison.Ordinal) ? path[Prefix.Length..] : null;

    /// <summary>The file of that name; null where there is none. Links are not followed.</summary>
    /// <param name="folder">The folder <see cref="Folder"/> of a store.</param>
    /// <param name="name">Any text; one that breaks <see cref="Ids.Rule"/> names nothing.</param>
    public static FileInfo? Find(string folder, string name)
    {
        if (!Ids.IsValid(name)) { return null; }
        var place = new DirectoryInfo(Path.Combine(folder, name));
        if (!place.Exists || place.LinkTarget is not null) { return null; }
        try
        {
            return place.EnumerateFiles().FirstOrDefault(file => file.LinkTarget is null && Sha256Text.IsValid(file.Name));
        }
        catch (DirectoryNotFoundException)
        {
            return null; // Deleted meanwhile.
        }
    }
}
