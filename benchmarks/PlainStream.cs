using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Cluster.Trainer.Core.Collectives;
using Cluster.Trainer.Core.State;

namespace Cluster.Benchmarks;

/// <summary>
/// What the machine's sockets can do: every two ranks send each other the same number of bytes at once, and nothing is done
/// with them. Sends from all over a large buffer, receives into a small one that stays in the cache; same socket options as
/// the mesh, a standing thread for each peer's sends.
/// </summary>
internal sealed unsafe class PlainStream(int rank, int count) : IDisposable
{
    private const int BlockBytes = 512 << 10;
    private const int InlineBytes = 64 << 10;

    private readonly Socket _listener = Listen();
    private readonly Socket?[] _peers = new Socket?[count];
    private readonly SemaphoreSlim[] _go = [.. Enumerable.Range(0, count).Select(_ => new SemaphoreSlim(0))];
    private readonly SemaphoreSlim _sent = new(0);
    private readonly byte* _block = (byte*)NativeMemory.AlignedAlloc(BlockBytes, 64);
    private byte* _from;
    private int _bytesPerPeer;

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    public void Connect(int[] ports)
    {
        for (var peer = 0; peer < rank; peer++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            SocketTuning.Apply(socket);
            socket.Connect(IPAddress.Loopback, ports[peer]);
            socket.Send([(byte)rank]);
            _peers[peer] = socket;
        }

        for (var peer = rank + 1; peer < count; peer++)
        {
            var socket = _listener.Accept();
            var who = new byte[1];
            socket.Receive(who);
            socket.NoDelay = true;
            _peers[who[0]] = socket;
        }

        for (var peer = 0; peer < count; peer++)
        {
            var to = peer;
            if (peer != rank) { new Thread(() => SendBulk(to)) { IsBackground = true }.Start(); }
        }
    }

    /// <summary>Sends so many bytes to every peer and receives as many from each.</summary>
    public void Exchange(FlatBuffer from, int bytesPerPeer)
    {
        _from = (byte*)from.Pointer;
        _bytesPerPeer = bytesPerPeer;
        var isInline = bytesPerPeer <= InlineBytes;
        for (var peer = 0; peer < count; peer++)
        {
            if (peer == rank) { continue; }
            if (isInline) { _peers[peer]!.Send(new ReadOnlySpan<byte>(_from, bytesPerPeer)); }
            else { _go[peer].Release(); }
        }

        for (var at = 0; at < bytesPerPeer; at += BlockBytes)
        {
            for (var peer = 0; peer < count; peer++)
            {
                if (peer == rank) { continue; }
                var rest = new Span<byte>(_block, Math.Min(BlockBytes, bytesPerPeer - at));
                while (rest.Length > 0) { rest = rest[_peers[peer]!.Receive(rest)..]; }
            }
        }

        for (var peer = 0; !isInline && peer < count - 1; peer++) { _sent.Wait(); }
    }

    private void SendBulk(int peer)
    {
        while (true)
        {
            _go[peer].Wait();
            for (var at = 0; at < _bytesPerPeer; at += BlockBytes)
            {
                _peers[peer]!.Send(new ReadOnlySpan<byte>(_from + at, Math.Min(BlockBytes, _bytesPerPeer - at)));
            }

            _sent.Release();
        }
    }

    private static Socket Listen()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        SocketTuning.Apply(socket);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen(64);
        return socket;
    }

    public void Dispose()
    {
        _listener.Dispose();
        foreach (var socket in _peers) { socket?.Dispose(); }
        NativeMemory.AlignedFree(_block);
    }
}
