using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Cluster.Trainer.Core.Native;

/// <summary>
/// Tells which of a set of connections the other side has closed, without reading from them: bytes that are still unread hide
/// the end of a connection from every call of <see cref="Socket"/>. See poll(2); Linux only.
/// </summary>
internal sealed unsafe partial class HangUps
{
    private const short POLLERR = 0x8, POLLHUP = 0x10, POLLNVAL = 0x20, POLLRDHUP = 0x2000;

    private readonly PollFd[] _polled;

    /// <param name="sockets">Stay open as long as this is used.</param>
    public HangUps(IEnumerable<Socket> sockets) =>
        _polled = [.. sockets.Select(socket => new PollFd { Descriptor = (int)socket.Handle, Events = POLLRDHUP })];

    /// <summary>Looks now; answers whether any connection is closed. Waits for nothing.</summary>
    public bool Look()
    {
        fixed (PollFd* first = _polled) { return poll(first, (nuint)_polled.Length, 0) > 0; }
    }

    /// <summary>Whether the connection at this index was closed when <see cref="Look"/> looked.</summary>
    public bool this[int index] => (_polled[index].Returned & (POLLERR | POLLHUP | POLLNVAL | POLLRDHUP)) != 0;

    private struct PollFd
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }

    [LibraryImport("libc")]
    private static partial int poll(PollFd* descriptors, nuint count, int timeoutMs);
}
