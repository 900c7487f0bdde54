using System.Buffers.Binary;
using System.IO.Compression;
using Cluster.Contracts;

namespace Cluster.Trainer.Core.Data;

/// <summary>
/// A file of a data set, plain or (by its name, <c>.gz</c>) gzip, read front to back. Whatever is wrong with it becomes a
/// <see cref="BadInputException"/> that begins with its path.
/// </summary>
internal sealed class DataFile : IDisposable
{
    /// <summary>The most that one byte of deflate can stand for (its specification's coding: 258 bytes in 2 bits).</summary>
    private const long MaxExpansion = 1032;

    private readonly FileStream _file;
    private readonly Stream _content;
    private long _bytesRead;

    private DataFile(string path, FileStream file, bool isGzip)
    {
        Path = path;
        IsGzip = isGzip;
        _file = file;
        _content = IsGzip ? new GZipStream(file, CompressionMode.Decompress) : file;
    }

    public string Path { get; }

    public bool IsGzip { get; }

    /// <summary>The content cannot have more bytes than this; a plain file has exactly so many.</summary>
    public long MaxBytes => IsGzip ? _file.Length * MaxExpansion : _file.Length;

    /// <exception cref="BadInputException">Missing, a folder, not readable, empty, or gzip without the name.</exception>
    public static DataFile Open(string path) => Open(path, path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase), file => file.CheckKind());

    /// <summary>The bytes as they lie on the disk, gzip or not.</summary>
    /// <exception cref="BadInputException">Missing, a folder, not readable or empty.</exception>
    public static DataFile OpenRaw(string path) => Open(path, isGzip: false, _ => { });

    private static DataFile Open(string path, bool isGzip, Action<DataFile> check)
    {
        var opened = new DataFile(path, OpenFile(path), isGzip);
        try
        {
            if (opened._file.Length == 0) { throw opened.Bad("is empty"); }
            check(opened);
            return opened;
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    private static FileStream OpenFile(string path)
    {
        if (Directory.Exists(path)) { throw new BadInputException($"{path} is a folder; a file is expected"); }

        try { return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 16, FileOptions.SequentialScan); }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException) { throw new BadInputException($"{path}: no such file"); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { throw new BadInputException($"{path} cannot be read: {e.Message}"); }
    }

    /// <summary>A message about this file.</summary>
    public BadInputException Bad(string what) => new($"{Path} {what}");

    /// <summary>Reads until the span is full or the content ends.</summary>
    /// <returns>Bytes read.</returns>
    public int Read(Span<byte> into)
    {
        int read;
        try { read = _content.ReadAtLeast(into, into.Length, throwOnEndOfStream: false); }
        catch (InvalidDataException e) { throw Bad($"is damaged: {e.Message}"); }
        catch (IOException e) { throw Bad($"cannot be read: {e.Message}"); }

        _bytesRead += read;
        if (IsGzip && read < into.Length) { CheckTrailer(); }
        return read;
    }

    /// <summary>The whole content, at most <paramref name="limit"/> bytes.</summary>
    public byte[] ReadAll(long limit)
    {
        using var all = new MemoryStream(IsGzip ? 0 : (int)Math.Min(MaxBytes, limit));
        var block = new byte[1 << 16];
        int read;
        do
        {
            read = Read(block);
            if (all.Length + read > limit) { throw Bad($"holds more than {limit:N0} bytes"); }
            all.Write(block, 0, read);
        }
        while (read == block.Length);

        return all.ToArray();
    }

    /// <summary>Skips into a plain file.</summary>
    public void Seek(long offset) => _file.Seek(offset, SeekOrigin.Begin);

    /// <summary>Checks that nothing follows. With gzip this is also what reads the checksum at the end.</summary>
    public void ExpectEnd(long expectedBytes)
    {
        if (Read(new byte[1]) > 0) { throw Bad($"goes on after the {expectedBytes:N0} bytes that its header announces"); }
    }

    public void Dispose()
    {
        _content.Dispose();
        _file.Dispose();
    }

    /// <summary>
    /// <see cref="GZipStream"/> takes a file that was cut off for one that ends there. The last four bytes of a whole one are
    /// the length of the content, modulo 2^32 (RFC 1952, section 2.3.1).
    /// </summary>
    private void CheckTrailer()
    {
        Span<byte> trailer = stackalloc byte[4];
        var whole = RandomAccess.Read(_file.SafeFileHandle, trailer, Math.Max(0, _file.Length - 4)) == 4
            && BinaryPrimitives.ReadUInt32LittleEndian(trailer) == (uint)_bytesRead;
        if (!whole) { throw Bad($"is cut off: its gzip data end after {_bytesRead:N0} bytes of content, without the length that must follow"); }
    }

    private void CheckKind()
    {
        Span<byte> start = stackalloc byte[2];
        var isGzip = _file.ReadAtLeast(start, 2, throwOnEndOfStream: false) == 2 && start is [0x1f, 0x8b];
        if (IsGzip && !isGzip) { throw Bad("is not gzip, though its name ends in .gz"); }
        if (!IsGzip && isGzip) { throw Bad("is gzip, though its name does not end in .gz"); }
        _file.Position = 0;
    }
}
