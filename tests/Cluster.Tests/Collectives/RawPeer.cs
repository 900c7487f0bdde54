using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Cluster.Trainer.Core.Collectives;

namespace Cluster.Tests.Collectives;

/// <summary>A peer made by hand: speaks the handshake, and then whatever a test wants it to.</summary>
internal sealed class RawPeer : IDisposable
{
    private long _sent;

    public RawPeer(EndPoint listener)
    {
        Socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = 10_000, SendTimeout = 10_000 };
        Socket.Connect(listener);
    }

    public Socket Socket { get; }

    /// <summary>The listener's answer; Unknown when it closes without one.</summary>
    public Admittance SayHello(long generation = 1, int from = 1, int to = 0, string job = LocalMeshes.Job, ImmutableArray<byte>? secret = null, int? version = null)
    {
        var hello = new byte[Hello.Size];
        new Hello(generation, from, to, Hello.JobHash(job), (secret ?? LocalMeshes.Secret).AsSpan()).Write(hello);
        if (version is { } other) { BitConverter.TryWriteBytes(hello.AsSpan(4), other); }
        Socket.Send(hello);
        var answer = new byte[Hello.AnswerSize];
        return BoundedReceive.TryReceive(Socket, answer, Within.Limit) ? Hello.ReadAnswer(answer) : Admittance.Unknown;
    }

    /// <summary>Comes again until the mesh of the generation is expected, as a real one does.</summary>
    public static RawPeer Admitted(EndPoint listener, long generation = 1, int from = 1, int to = 0)
    {
        RawPeer? admitted = null;
        Within.Until(() =>
        {
            var peer = new RawPeer(listener);
            if (peer.SayHello(generation, from, to) == Admittance.Admitted) { admitted = peer; }
            else { peer.Dispose(); }
            return admitted is not null;
        }, $"rank {from} is admitted");
        return admitted!;
    }

    /// <summary>Its part in the ranks' first meeting: it has no memory to share.</summary>
    public void SharesNothing(long generation = 1)
    {
        Send(FrameKind.Meeting, [], generation, round: 0);
        var header = new byte[FrameHeader.Size];
        Assert.True(BoundedReceive.TryReceive(Socket, header, Within.Limit));
        Assert.True(BoundedReceive.TryReceive(Socket, new byte[FrameHeader.Read(header)!.Value.Length], Within.Limit));
    }

    /// <summary>A frame, right in all that is not named.</summary>
    public void Send(FrameKind kind, ReadOnlySpan<byte> payload, long generation = 1, long round = 1, long? sequence = null, int? length = null, ulong? hash = null)
    {
        var frame = new byte[FrameHeader.Size + payload.Length];
        new FrameHeader(kind, generation, round, sequence ?? _sent, length ?? payload.Length, hash ?? FrameHeader.HashOf(payload)).Write(frame);
        payload.CopyTo(frame.AsSpan(FrameHeader.Size));
        _sent++;
        SendBytes(frame);
    }

    public void SendBytes(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0) { bytes = bytes[Socket.Send(bytes)..]; }
    }

    /// <summary>Reads until the other side has closed; fails when it does not.</summary>
    public void ReadsUntilClosed()
    {
        var bytes = new byte[64 << 10];
        try
        {
            while (Socket.Receive(bytes) > 0) { }
        }
        catch (SocketException e)
        {
            Assert.Equal(SocketError.ConnectionReset, e.SocketErrorCode); // Closed with bytes of ours unread.
        }
    }

    public void Dispose() => Socket.Dispose();
}
