using System.Runtime.InteropServices;

namespace Cluster.Trainer.Core.Native;

/// <summary>
/// Blocks on a word of memory until another thread, or another process that maps the same memory, changes it. See futex(2).
/// Waiters need read access only.
/// </summary>
internal static unsafe partial class Futex
{
    private const nint FUTEX_WAIT = 0, FUTEX_WAKE = 1; // Not the private variants: they know one process only.

    /// <summary>Of the system call, which the C library does not wrap.</summary>
    private static readonly nint Number = RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => 202,
        Architecture.Arm64 => 98,
        _ => 0,
    };

    public static bool IsSupported => OperatingSystem.IsLinux() && Number != 0;

    /// <summary>
    /// Returns at once unless the word holds <paramref name="value"/>; otherwise when it is woken, after
    /// <paramref name="limit"/>, or for no reason: look at the word again.
    /// </summary>
    public static void Wait(uint* word, uint value, TimeSpan limit)
    {
        var relative = new Timespec((nint)limit.TotalSeconds, (nint)(limit.Ticks % TimeSpan.TicksPerSecond * TimeSpan.NanosecondsPerTick));
        _ = syscall(Number, word, FUTEX_WAIT, (nint)value, &relative, 0, 0);
    }

    /// <summary>Wakes all who wait on the word; it has been changed before.</summary>
    public static void Wake(uint* word) => _ = syscall(Number, word, FUTEX_WAKE, int.MaxValue, null, 0, 0);

    private readonly record struct Timespec(nint Seconds, nint Nanoseconds);

    [LibraryImport("libc")]
    private static partial nint syscall(nint number, uint* word, nint operation, nint value, Timespec* timeout, nint second, nint third);
}
