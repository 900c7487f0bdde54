using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Cluster.Trainer.Core.Native;

/// <summary>How another process finds a <see cref="MemoryFile"/>.</summary>
/// <param name="Name">Of this file alone: descriptors are used again.</param>
/// <param name="Descriptor">In the process that holds it.</param>
internal readonly record struct MemoryShare(Guid Name, int Descriptor);

/// <summary>
/// Memory that other processes of this host can open and that no file system knows, so that nothing is left behind however its
/// processes end: the kernel frees it with the last descriptor and mapping. See memfd_create(2).
/// </summary>
internal sealed partial class MemoryFile : IDisposable
{
    private const uint MFD_CLOEXEC = 1; // No child process inherits it.

    private MemoryFile(SafeFileHandle handle, Guid name) => (Handle, Share) = (handle, new MemoryShare(name, (int)handle.DangerousGetHandle()));

    public static bool IsSupported => OperatingSystem.IsLinux();

    public SafeFileHandle Handle { get; }

    /// <summary>For others to open it, until it is disposed.</summary>
    public MemoryShare Share { get; }

    /// <summary>A path that leads to the file, for whom this process lets open one.</summary>
    public string Path => $"/proc/self/fd/{Share.Descriptor}";

    /// <summary>So many zeros; they take memory once they are written.</summary>
    /// <exception cref="IOException">The system refuses it: no descriptors are left, for instance.</exception>
    public static MemoryFile Create(long bytes)
    {
        var name = Guid.NewGuid();
        var descriptor = memfd_create(TitleOf(name), MFD_CLOEXEC);
        if (descriptor < 0) { throw new IOException($"memfd_create: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}"); }
        var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        RandomAccess.SetLength(handle, bytes);
        return new MemoryFile(handle, name);
    }

    /// <summary>Opens a file of another process (or of this one).</summary>
    /// <param name="processId">In the process namespace of the caller.</param>
    /// <exception cref="IOException">The process is gone, or has closed the file.</exception>
    /// <exception cref="UnauthorizedAccessException">The process belongs to another user.</exception>
    public static SafeFileHandle Open(int processId, MemoryShare share, FileAccess access)
    {
        var handle = File.OpenHandle($"/proc/{processId}/fd/{share.Descriptor}", FileMode.Open, access, FileShare.ReadWrite);

        // The process may have closed it a moment ago and have another file there now, even another memory file.
        var opened = new FileInfo($"/proc/self/fd/{handle.DangerousGetHandle()}").LinkTarget;
        if (opened == $"/memfd:{TitleOf(share.Name)} (deleted)") { return handle; }
        handle.Dispose();
        throw new IOException($"process {processId} has closed it and opened {opened}");
    }

    public void Dispose() => Handle.Dispose();

    private static string TitleOf(Guid name) => $"cluster-{name:N}";

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int memfd_create(string name, uint flags);
}
