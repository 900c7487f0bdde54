using System.Net;
using System.Net.Sockets;

namespace Cluster.Tests.EndToEnd;

/// <summary>
/// Ports for servers that are told theirs and may be killed and started on it again, and for addresses where nobody listens. A port of
/// the system's own choice is handed to whoever asks next as soon as nobody listens on it; these lie below the range the system chooses
/// from (32768 and up on Linux, 49152 elsewhere), and none is given twice.
/// </summary>
internal static class FreePort
{
    private const int First = 20_000;
    private const int Count = 12_768;

    /// <summary>Test runs side by side begin at different places.</summary>
    private static int s_asked = Environment.ProcessId * 97 % Count;

    /// <summary>A port that nobody listens on and that this process has not given before.</summary>
    public static int Take()
    {
        for (var tries = 0; tries < Count; tries++)
        {
            var port = First + (Interlocked.Increment(ref s_asked) % Count);
            using var listener = new TcpListener(IPAddress.Any, port);
            try
            {
                listener.Start();
                return port;
            }
            catch (SocketException) { } // Somebody's; the next.
        }

        throw new InvalidOperationException($"no port from {First} to {First + Count - 1} is free");
    }
}
