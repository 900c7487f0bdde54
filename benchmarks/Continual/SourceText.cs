using System.Diagnostics;
using System.Formats.Tar;

namespace Cluster.Benchmarks.Continual;

/// <summary>
/// A text of code: this project's own C# files at one commit, one after the other in the order of their paths. Whoever has the history
/// makes the same bytes; their hash is in the spec.
/// </summary>
internal static class SourceText
{
    public const string FileName = "csharp-source.txt";

    private const string Commit = "ceeb8c71a2660dadda32e6ea97d18d5e95a2c932";

    /// <summary>Takes the files from the repository of the working directory.</summary>
    /// <exception cref="InvalidOperationException">There is no such commit, or no git.</exception>
    public static void Write(string folder)
    {
        Directory.CreateDirectory(folder);
        var files = Files().OrderBy(file => file.Path, StringComparer.Ordinal).ToArray();
        using var text = File.Create(Path.Combine(folder, FileName));
        foreach (var (_, bytes) in files) { text.Write(bytes); }
        Console.WriteLine($"{text.Name}: {files.Length} files, {text.Length} bytes");
    }

    private static List<(string Path, byte[] Bytes)> Files()
    {
        using var git = Process.Start(new ProcessStartInfo("git", ["archive", "--format=tar", Commit]) { RedirectStandardOutput = true })!;
        var files = new List<(string, byte[])>();
        using (var tar = new TarReader(git.StandardOutput.BaseStream))
        {
            while (tar.GetNextEntry() is { } entry)
            {
                if (!entry.Name.EndsWith(".cs", StringComparison.Ordinal) || entry.DataStream is not { } data) { continue; }
                using var copy = new MemoryStream();
                data.CopyTo(copy);
                files.Add((entry.Name, copy.ToArray()));
            }
        }

        git.WaitForExit();
        return git.ExitCode == 0 ? files : throw new InvalidOperationException($"git archive {Commit} ended with {git.ExitCode}: run this in a clone with the whole history");
    }
}
