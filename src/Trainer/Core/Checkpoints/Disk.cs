using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Cluster.Trainer.Core.Checkpoints;

/// <summary>
/// The few changes that checkpoints make on disk, each of which may be the last one before the power goes. Tests put a disk
/// here that fails at every step in turn.
/// </summary>
internal interface IDisk
{
    void CreateDirectory(string path);

    /// <summary>A new file, unbuffered; fails when it is there already.</summary>
    Stream CreateFile(string path);

    /// <summary>Returns when the file's bytes would survive a loss of power.</summary>
    void Sync(Stream file);

    /// <summary>Returns when the directory's entries would survive a loss of power.</summary>
    void SyncDirectory(string path);

    /// <summary>Renames a directory; fails when <paramref name="to"/> is there already.</summary>
    void MoveDirectory(string from, string to);

    void DeleteFile(string path);

    /// <summary>Fails when the directory is not empty.</summary>
    void DeleteDirectory(string path);
}

/// <summary>The machine's own disk.</summary>
internal sealed partial class Disk : IDisk
{
    public void CreateDirectory(string path) => Directory.CreateDirectory(path);

    public Stream CreateFile(string path) => new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0);

    public void Sync(Stream file) => ((FileStream)file).Flush(flushToDisk: true);

    public void SyncDirectory(string path)
    {
        if (OperatingSystem.IsWindows()) { return; } // NTFS journals its directories; there is nothing to call.

        const int readOnly = 0, invalid = 22; // O_RDONLY; EINVAL: a file system that cannot sync a directory.
        var descriptor = open(path, readOnly);
        if (descriptor < 0) { throw Failure("opened", path, Marshal.GetLastPInvokeError()); }
        var error = fsync(descriptor) == 0 ? 0 : Marshal.GetLastPInvokeError();
        _ = close(descriptor);
        if (error is not (0 or invalid)) { throw Failure("synced", path, error); }
    }

    public void MoveDirectory(string from, string to) => Directory.Move(from, to);

    public void DeleteFile(string path) => File.Delete(path);

    public void DeleteDirectory(string path) => Directory.Delete(path, recursive: false);

    /// <summary>For messages: "12.3 MiB free there", or nothing where the system does not tell.</summary>
    public static string FreeSpace(string path)
    {
        try
        {
            var existing = path;
            while (!Directory.Exists(existing) && Path.GetDirectoryName(existing) is { } parent) { existing = parent; }
            return $"{ByteText(new DriveInfo(existing).AvailableFreeSpace)} free there";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return "free space unknown";
        }
    }

    public static string ByteText(long bytes) => bytes switch
    {
        < 1L << 10 => FormattableString.Invariant($"{bytes} B"),
        < 1L << 20 => FormattableString.Invariant($"{bytes / 1024.0:F1} KiB"),
        < 1L << 30 => FormattableString.Invariant($"{bytes / 1048576.0:F1} MiB"),
        _ => FormattableString.Invariant($"{bytes / 1073741824.0:F2} GiB"),
    };

    private static IOException Failure(string verb, string path, int error) =>
        new($"{path} could not be {verb}: {new Win32Exception(error).Message}");

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(int descriptor);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int descriptor);
}
