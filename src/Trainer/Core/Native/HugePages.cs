using System.Runtime.InteropServices;

namespace Cluster.Trainer.Core.Native;

/// <summary>
/// Asks Linux to back large buffers with 2 MB pages. A step that streams several buffers at once otherwise misses the address
/// translation cache all the time: measured, half the bandwidth. Only a wish; nothing depends on it being granted.
/// </summary>
internal static unsafe partial class HugePages
{
    private const nuint PageSize = 2 << 20;
    private const int MADV_HUGEPAGE = 14;

    /// <summary>To be called before the memory is first written: pages that exist already stay small for a while.</summary>
    public static void Advise(void* start, long bytes)
    {
        if (!OperatingSystem.IsLinux()) { return; }

        var first = ((nuint)start + PageSize - 1) / PageSize * PageSize;
        var end = ((nuint)start + (nuint)bytes) / PageSize * PageSize;
        if (first < end) { _ = madvise(first, end - first, MADV_HUGEPAGE); }
    }

    [LibraryImport("libc")]
    private static partial int madvise(nuint address, nuint length, int advice);
}
