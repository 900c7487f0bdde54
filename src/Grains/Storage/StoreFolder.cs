using Cluster.Contracts;

namespace Cluster.Grains.Storage;

/// <summary>The folder of an embedded store. What is in it opens data-plane connections, so it is its owner's alone.</summary>
internal static class StoreFolder
{
    /// <returns>Its full path.</returns>
    /// <exception cref="BadInputException">It is not a folder, or cannot be made.</exception>
    public static string MakeReady(string folder)
    {
        try
        {
            var path = Path.GetFullPath(folder);
            if (Directory.Exists(path)) { return path; }
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(path);
            }
            else
            {
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }

            return path;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new BadInputException($"the store folder {folder} cannot be used: {(File.Exists(folder) ? "it is a file" : e.Message.TrimEnd('.'))}. Set Cluster:Store to a folder that this user may write to.");
        }
    }
}
