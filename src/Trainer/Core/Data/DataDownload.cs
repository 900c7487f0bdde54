using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Cluster.Contracts;

namespace Cluster.Trainer.Core.Data;

/// <summary>
/// Fetches a data set of the catalog. A file is written beside its place, checked (length and SHA-256) and then renamed into
/// it, so that what lies there is whole, whatever happened. What is already there and right is not fetched again.
/// </summary>
internal static class DataDownload
{
    /// <summary>A server that sends nothing for so long is given up.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    /// <summary>Fetches a data set into a data root.</summary>
    /// <param name="name">As the catalog has it.</param>
    /// <param name="folder">The data root; created if it is not there.</param>
    /// <param name="http">Makes the requests; its own time-out bounds the wait for an answer.</param>
    /// <param name="progress">Hears one line at a time, about every tenth of a file.</param>
    /// <param name="cancellationToken">Stops it; nothing half-written stays.</param>
    /// <returns>The files of the data set.</returns>
    /// <exception cref="BadInputException">It could not be had; the message says how to get it by hand.</exception>
    public static Task<IReadOnlyList<string>> GetAsync(
        string name, string folder, HttpClient http, IProgress<string>? progress, CancellationToken cancellationToken) =>
        GetAsync(DataCatalog.Find(name), folder, http, progress, cancellationToken);

    /// <summary>The same for an entry of any catalog.</summary>
    internal static async Task<IReadOnlyList<string>> GetAsync(
        CatalogEntry entry, string folder, HttpClient http, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        folder = Path.GetFullPath(folder);
        foreach (var download in entry.Downloads)
        {
            try
            {
                await GetAsync(download, folder, http, progress, cancellationToken);
            }
            catch (Exception e) when (e is HttpRequestException or IOException or InvalidDataException or UnauthorizedAccessException
                                      || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                var reason = e is OperationCanceledException ? "no answer in time" : e.Message;
                throw new BadInputException($"{entry.Name}: {download.Url} could not be fetched: {reason}\n{ByHand(entry, folder)}");
            }
        }

        return [.. entry.Downloads.SelectMany(download => download.Kept).Select(file => PathOf(folder, file))];
    }

    private static async Task GetAsync(
        CatalogDownload download, string folder, HttpClient http, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        if (await AreWholeAsync(download.Kept, folder, cancellationToken))
        {
            progress?.Report($"{string.Join(", ", download.Kept.Select(NameOf))}: already there");
            return;
        }

        var target = PathOf(folder, download.File);
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        var beside = Beside(target);
        try
        {
            await FetchAsync(download, beside, http, progress, cancellationToken);
            if (download.Members is []) { File.Move(beside, target, overwrite: true); }
            else { await UnpackAsync(beside, download, folder, cancellationToken); }
        }
        finally
        {
            File.Delete(beside);
        }

        progress?.Report($"{string.Join(", ", download.Kept.Select(NameOf))}: done, checksum right");
    }

    private static async Task FetchAsync(
        CatalogDownload download, string path, HttpClient http, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_patience);
        using var response = await http.GetAsync(download.Url, HttpCompletionOption.ResponseHeadersRead, patience.Token);
        if (!response.IsSuccessStatusCode)
        {
            throw new InvalidDataException($"the server answered {(int)response.StatusCode} {response.ReasonPhrase}");
        }

        await using var body = await response.Content.ReadAsStreamAsync(patience.Token);
        await using var file = File.Create(path);
        await CopyAsync(body, file, download.File, progress, patience);
    }

    /// <summary>Copies exactly the expected bytes and compares their hash.</summary>
    private static async Task CopyAsync(
        Stream from, Stream to, CatalogFile expected, IProgress<string>? progress, CancellationTokenSource patience)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var block = new byte[1 << 16];
        var bytes = 0L;
        var tenth = 0L;
        while (await from.ReadAsync(block, patience.Token) is > 0 and var read)
        {
            patience.CancelAfter(s_patience);
            bytes += read;
            if (bytes > expected.Bytes) { throw new InvalidDataException($"more than the {expected.Bytes:N0} bytes expected"); }

            hash.AppendData(block, 0, read);
            await to.WriteAsync(block.AsMemory(0, read), patience.Token);
            if (bytes * 10 / expected.Bytes is var done && done > tenth)
            {
                tenth = done;
                progress?.Report($"{NameOf(expected)}: {bytes / 1e6:N1} of {expected.Bytes / 1e6:N1} MB");
            }
        }

        if (bytes < expected.Bytes) { throw new InvalidDataException($"ended after {bytes:N0} of {expected.Bytes:N0} bytes"); }

        var found = Convert.ToHexStringLower(hash.GetHashAndReset());
        if (found != expected.Sha256)
        {
            throw new InvalidDataException($"wrong checksum of {NameOf(expected)}: SHA-256 {found}, expected {expected.Sha256}");
        }
    }

    private static async Task UnpackAsync(string archive, CatalogDownload download, string folder, CancellationToken cancellationToken)
    {
        var missing = download.Members.ToDictionary(NameOf);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var packed = new GZipStream(File.OpenRead(archive), CompressionMode.Decompress);
        await using var tar = new TarReader(packed);
        while (await tar.GetNextEntryAsync(cancellationToken: cancellationToken) is { } entry)
        {
            // Only the last part of the name is used, so an archive cannot write anywhere else.
            if (entry.DataStream is null || !missing.Remove(Path.GetFileName(entry.Name), out var member)) { continue; }

            var beside = Beside(PathOf(folder, member));
            try
            {
                await using (var file = File.Create(beside)) { await CopyAsync(entry.DataStream, file, member, null, patience); }
                File.Move(beside, PathOf(folder, member), overwrite: true);
            }
            finally
            {
                File.Delete(beside);
            }
        }

        if (missing.Count > 0) { throw new InvalidDataException($"the archive has no {string.Join(", ", missing.Keys)}"); }
    }

    private static async Task<bool> AreWholeAsync(IEnumerable<CatalogFile> files, string folder, CancellationToken cancellationToken)
    {
        foreach (var file in files)
        {
            var info = new FileInfo(PathOf(folder, file));
            if (!info.Exists || info.Length != file.Bytes) { return false; }
            await using var content = info.OpenRead();
            if (Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancellationToken)) != file.Sha256) { return false; }
        }

        return true;
    }

    private static string ByHand(CatalogEntry entry, string folder)
    {
        var text = new StringBuilder("To get it by hand, fetch on a machine with a network and put here:");
        foreach (var download in entry.Downloads)
        {
            text.Append($"\n  {download.Url}\n    SHA-256 {download.File.Sha256}");
            text.Append(download.Members is []
                ? $"\n    as {PathOf(folder, download.File)}"
                : $"\n    unpacked, so that there are {string.Join(", ", download.Members.Select(member => PathOf(folder, member)))}");
        }

        return text.Append($"\nOr, if you have it elsewhere, name the folder above '{entry.Downloads[0].File.Path.Split('/')[0]}' with --data DIR or {DataRoots.Variable}.").ToString();
    }

    /// <summary>Several processes may fetch at once: each writes its own file.</summary>
    private static string Beside(string path) => $"{path}.{Environment.ProcessId}.partial";

    private static string PathOf(string folder, CatalogFile file) => Path.GetFullPath(file.Path, folder);

    private static string NameOf(CatalogFile file) => file.Path[(file.Path.LastIndexOf('/') + 1)..];
}
