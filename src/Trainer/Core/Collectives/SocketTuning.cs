using System.Net.Sockets;

namespace Cluster.Trainer.Core.Collectives;

/// <summary>Socket options of the data plane.</summary>
internal static class SocketTuning
{
    /// <summary>
    /// Bytes of send and of receive buffer. Room for several chunks in flight, so that neither side waits for the other at
    /// every chunk.
    /// </summary>
    private const int BufferBytes = 4 << 20;

    /// <summary>
    /// Whether the system grants the buffers. Linux cuts a request down to net.core.wmem_max (208 KiB on most systems) and then
    /// no longer grows the buffer by itself; where it would be cut, its own growth does better.
    /// </summary>
    private static readonly bool GrantsBuffers = Probe();

    /// <summary>Call before connecting or listening: the receive buffer decides the window scale of the connection.</summary>
    public static void Apply(Socket socket)
    {
        socket.NoDelay = true;
        if (!GrantsBuffers) { return; }
        socket.SendBufferSize = BufferBytes;
        socket.ReceiveBufferSize = BufferBytes;
    }

    private static bool Probe()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.SendBufferSize = BufferBytes;
        socket.ReceiveBufferSize = BufferBytes;
        return socket.SendBufferSize >= BufferBytes && socket.ReceiveBufferSize >= BufferBytes;
    }
}
