namespace Cluster.Cli.Verbs;

/// <summary>A file that appears under its name whole, or not at all. Folders on the way are made.</summary>
internal static class WholeFile
{
    /// <param name="write">May read again what it has written; where it throws, there is no file.</param>
    public static async Task WriteAsync(string path, Func<Stream, Task> write)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var partial = $"{path}.partial-{Environment.ProcessId}";
        try
        {
            await using (var file = File.Create(partial)) { await write(file); }
            File.Move(partial, path, overwrite: true);
        }
        finally
        {
            File.Delete(partial); // There only when something went wrong.
        }
    }
}
