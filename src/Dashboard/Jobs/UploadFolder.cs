using System.Buffers;
using System.Security.Cryptography;
using Cluster.Contracts;
using Cluster.Contracts.Api;
using Cluster.Dashboard.Api;

namespace Cluster.Dashboard.Jobs;

/// <summary>The uploaded files of a store (<see cref="Uploads"/>), as the API writes them. Several APIs may share it.</summary>
internal sealed class UploadFolder(string store, TimeProvider clock)
{
    private const string Partial = ".partial-", Removed = ".removed-";
    private const int BlockBytes = 1 << 18;

    /// <summary>An upload that is still under way after so long has lost its process.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromDays(1);

    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetFullPath(store), Uploads.Folder);

    /// <summary>Null where there is none of that name.</summary>
    public UploadedFile? Find(string name) => Uploads.Find(Path, name) is { } file ? new(name, file.Length, file.Name, file.LastWriteTimeUtc) : null;

    /// <summary>All names, in order.</summary>
    public IReadOnlyList<string> Names() =>
        Directory.Exists(Path) ? [.. Directory.EnumerateDirectories(Path).Select(folder => System.IO.Path.GetFileName(folder)).Where(Ids.IsValid).Order(StringComparer.Ordinal)] : [];

    /// <summary>Takes a file from the stream to the disk, and gives it its name when it is whole. Where anything goes wrong, nothing is left.</summary>
    /// <param name="maxBytes">More is refused.</param>
    /// <returns>The file; the same bytes under the same name are there once.</returns>
    /// <exception cref="ApiRefusal">It is empty or too large, the name has other bytes, or the store cannot be written to.</exception>
    public async Task<UploadedFile> WriteAsync(string name, Stream content, long maxBytes, CancellationToken cancellationToken)
    {
        var partial = System.IO.Path.Combine(Path, $"{Partial}{Guid.NewGuid():N}");
        try
        {
            Directory.CreateDirectory(partial);
            Sweep();
            var hash = await CopyAsync(content, System.IO.Path.Combine(partial, "content"), maxBytes, cancellationToken);
            File.Move(System.IO.Path.Combine(partial, "content"), System.IO.Path.Combine(partial, hash));
            TryName(partial, name);
            var file = Find(name) ?? throw ApiRefusal.Conflict($"{name} was deleted while it was uploaded; upload it again");
            return file.Sha256 == hash ? file : throw ApiRefusal.Conflict(
                $"there is another file {name}, with SHA-256 {file.Sha256}; this one has {hash}. Jobs know a file by its name, so it keeps its bytes: take another name, or delete that one first");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(e);
        }
        finally
        {
            Delete(partial); // There only where it did not become a file.
        }
    }

    /// <returns>False where there was none.</returns>
    /// <exception cref="ApiRefusal">The store cannot be written to.</exception>
    public bool Remove(string name)
    {
        if (Find(name) is null) { return false; }
        var removed = System.IO.Path.Combine(Path, $"{Removed}{Guid.NewGuid():N}");
        try
        {
            Directory.Move(System.IO.Path.Combine(Path, name), removed); // In one step; whoever reads it reads on.
            Directory.Delete(removed, recursive: true);
            return true;
        }
        catch (DirectoryNotFoundException)
        {
            return false; // Somebody else was faster.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(e);
        }
    }

    /// <returns>SHA-256 of all bytes, which are on the disk.</returns>
    private static async Task<string> CopyAsync(Stream content, string path, long maxBytes, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var block = ArrayPool<byte>.Shared.Rent(BlockBytes);
        try
        {
            await using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.Asynchronous);
            var bytes = 0L;
            for (int read; (read = await ReadAsync(content, block, maxBytes, cancellationToken)) > 0;)
            {
                bytes += read;
                if (bytes > maxBytes) { throw TooLarge(maxBytes); }
                hash.AppendData(block, 0, read);
                await file.WriteAsync(block.AsMemory(0, read), cancellationToken);
            }

            if (bytes == 0) { throw ApiRefusal.Wrong("the body is empty: it must be the bytes of the file"); }
            file.Flush(flushToDisk: true);
            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
        }
    }

    /// <summary>What breaks here is the request, and not the disk.</summary>
    private static async Task<int> ReadAsync(Stream content, Memory<byte> into, long maxBytes, CancellationToken cancellationToken)
    {
        try
        {
            return await content.ReadAsync(into, cancellationToken);
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            throw TooLarge(maxBytes);
        }
        catch (IOException e)
        {
            throw ApiRefusal.Wrong($"the upload broke off: {e.Message}");
        }
    }

    /// <summary>Where the name is taken, everything stays as it is.</summary>
    private void TryName(string partial, string name)
    {
        var place = System.IO.Path.Combine(Path, name);
        try
        {
            if (!Directory.Exists(place)) { Directory.Move(partial, place); }
        }
        catch (IOException) when (Directory.Exists(place))
        {
            // Somebody else was faster; whoever asks for the name now sees whose bytes it has.
        }
    }

    public static ApiRefusal TooLarge(long maxBytes) => new(StatusCodes.Status413PayloadTooLarge, "The file is too large", $"a file may have {maxBytes:N0} bytes (Cluster:MaxUploadMegabytes)");

    /// <summary>Of uploads whose process died.</summary>
    private void Sweep()
    {
        var old = clock.GetUtcNow() - s_patience;
        foreach (var folder in new DirectoryInfo(Path).EnumerateDirectories(".*").Where(folder => folder.Name.StartsWith(Partial, StringComparison.Ordinal) || folder.Name.StartsWith(Removed, StringComparison.Ordinal)))
        {
            if (folder.LastWriteTimeUtc < old) { Delete(folder.FullName); }
        }
    }

    private static void Delete(string folder)
    {
        try { Directory.Delete(folder, recursive: true); }
        catch (DirectoryNotFoundException) { } // It became a file, or somebody else swept.
        catch (IOException) { } // Left for a later sweep: what went wrong first is what the caller hears.
        catch (UnauthorizedAccessException) { }
    }

    private ApiRefusal Unwritable(Exception e) =>
        new(StatusCodes.Status507InsufficientStorage, "The store cannot be written to", $"{Path} cannot be written: {e.Message}");
}
