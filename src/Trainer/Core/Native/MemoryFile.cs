using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Cluster.Trainer.Core.Native;

/// <summary>
/// Memory that other processes of this host can open and that has no name in any file system, so that nothing is left behind
/// however its processes end: the kernel frees it with the last descriptor and mapping. See memfd_create(2).
/// </summary>
internal static partial class MemoryFile
{
    private const uint MFD_CLOEXEC = 1; // No child process inherits it.

    public static bool IsSupported => OperatingSystem.IsLinux();

    /// <summary>A file of so many zeros; they take memory once they are written.</summary>
    /// <exception cref="IOException">The system refuses it: no descriptors are left, for instance.</exception>
    public static SafeFileHandle Create(long bytes)
    {
        var descriptor = memfd_create("cluster", MFD_CLOEXEC); // The name is for /proc/PID/maps alone, and need not be unique.
        if (descriptor < 0) { throw new IOException($"memfd_create: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}"); }
        var file = new SafeFileHandle(descriptor, ownsHandle: true);
        RandomAccess.SetLength(file, bytes);
        return file;
    }

    /// <summary>Opens the file that another process (or this one) holds under this descriptor.</summary>
    /// <param name="processId">In the process namespace of the caller.</param>
    /// <exception cref="IOException">The process is gone, or in another container.</exception>
    /// <exception cref="UnauthorizedAccessException">The process belongs to another user.</exception>
    public static SafeFileHandle Open(int processId, int descriptor, FileAccess access) =>
        File.OpenHandle(PathOf(processId, descriptor), FileMode.Open, access, FileShare.ReadWrite);

    /// <summary>Where Linux shows an open file of a process.</summary>
    public static string PathOf(int processId, int descriptor) => $"/proc/{processId}/fd/{descriptor}";

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int memfd_create(string name, uint flags);
}
