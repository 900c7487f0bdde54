using System.IO.Compression;

namespace Cluster.Tests.Data;

/// <summary>A folder for one test's hand-made files.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("cluster-data-").FullName;

    /// <summary>Writes a file and returns its full path; folders on the way are made.</summary>
    public string Write(string name, params byte[] bytes)
    {
        var path = System.IO.Path.Combine(Path, name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    public string Write(string name, string text) => Write(name, System.Text.Encoding.UTF8.GetBytes(text));

    public static byte[] Gzip(params byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true)) { gzip.Write(bytes); }
        return packed.ToArray();
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
