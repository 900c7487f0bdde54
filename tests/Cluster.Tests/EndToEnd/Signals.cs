using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Cluster.Tests.EndToEnd;

/// <summary>Signals to processes that a test has started.</summary>
internal static partial class Signals
{
    public const int Interrupt = 2, Terminate = 15, Continue = 18, Stop = 19;

    public static void Send(Process process, int signal) => Assert.Equal(0, kill(process.Id, signal));

    [LibraryImport("libc")]
    private static partial int kill(int pid, int signal);
}
