using System.Net.Sockets;

namespace Cluster.Trainer.Core.Collectives;

/// <summary>
/// One connection of a mesh. The training thread receives, and sends small frames itself; bulk frames go through a queue to a
/// sender thread, so that both directions of every connection move at once. Nothing is allocated for a frame.
/// </summary>
/// <param name="rank">The peer.</param>
/// <param name="fail">Records a fault of the mesh, wakes every blocked call, and returns the fault that came first.</param>
internal sealed unsafe class PeerLink(Socket socket, int rank, MeshMembership membership, Func<MeshFault, MeshFaultException> fail) : IDisposable
{
    private readonly record struct Outgoing(FrameKind Kind, long Round, nint Payload, int Length, ulong? Hash);

    private readonly object _gate = new(); // A Monitor, for its wait and pulse: guards the queue and the four fields after it.
    private readonly Queue<Outgoing> _queue = new();
    private Thread? _sender;
    private bool _isSending, _isSenderWaiting, _isClosed;

    private long _sentFrames, _receivedFrames; // Sequence numbers; sends are ordered by the rule that Flush ends every use of the queue.
    private long _bytesSent, _bytesReceived;

    public int Rank => rank;

    /// <summary>To be watched for its end.</summary>
    public Socket Socket => socket;

    public long BytesSent => Interlocked.Read(ref _bytesSent);
    public long BytesReceived => Interlocked.Read(ref _bytesReceived);

    public void Configure()
    {
        var deadlineMs = (int)Math.Min(membership.Deadline.TotalMilliseconds, int.MaxValue);
        socket.NoDelay = true;
        socket.ReceiveTimeout = deadlineMs;
        socket.SendTimeout = deadlineMs;
    }

    /// <summary>Sends a small frame from this thread. The queue must be empty.</summary>
    /// <param name="frame">Room for the header, then the payload.</param>
    public void Send(FrameKind kind, long round, Span<byte> frame, ulong hash)
    {
        new FrameHeader(kind, membership.Generation, round, _sentFrames++, frame.Length - FrameHeader.Size, hash).Write(frame);
        SendAll(frame);
    }

    /// <summary>Queues a bulk frame. The payload must stay as it is until <see cref="Flush"/> returns.</summary>
    /// <param name="hash">When it is known already; otherwise the sender thread computes it.</param>
    public void Enqueue(FrameKind kind, long round, void* payload, int length, ulong? hash = null)
    {
        lock (_gate)
        {
            if (_isClosed) { return; } // The fault that closed it comes up at the next receive or flush.
            _queue.Enqueue(new Outgoing(kind, round, (nint)payload, length, hash));
            if (_sender is null)
            {
                _sender = new Thread(RunSender) { Name = $"data plane send {rank}", IsBackground = true };
                _sender.Start();
            }
            else if (_isSenderWaiting) { Monitor.PulseAll(_gate); }
        }
    }

    /// <summary>Waits until the sender thread holds no payload any more: all are sent, or the link is closed.</summary>
    public void Flush()
    {
        lock (_gate)
        {
            while (_isSending || (_queue.Count > 0 && !_isClosed)) { Monitor.Wait(_gate); }
        }
    }

    /// <summary>Receives the header that is due next; its length and hash are for the payload to meet.</summary>
    public FrameHeader ReceiveHeader(FrameKind kind, long round)
    {
        Span<byte> bytes = stackalloc byte[FrameHeader.Size];
        ReceiveAll(bytes);
        return Check(bytes, kind, round);
    }

    /// <summary>Fills <paramref name="payload"/>, which must be as long as the frame that is due.</summary>
    public void Receive(FrameKind kind, long round, Span<byte> payload)
    {
        var header = ReceiveHeader(kind, round);
        ReceivePayload(header, payload);
    }

    public void ReceivePayload(in FrameHeader header, Span<byte> payload)
    {
        if (header.Length != payload.Length) { throw Corrupt($"a frame of {header.Length} bytes, not {payload.Length}"); }
        ReceiveAll(payload);
        CheckHash(header, payload);
    }

    /// <summary>Receives header and payload of a small frame of known size, if possible in one piece; returns the payload.</summary>
    public Span<byte> ReceiveFrame(FrameKind kind, long round, Span<byte> frame)
    {
        var payload = frame[FrameHeader.Size..];
        var arrived = ReceiveSome(frame, FrameHeader.Size);
        var header = Check(frame, kind, round);
        if (header.Length != payload.Length) { throw Corrupt($"a frame of {header.Length} bytes, not {payload.Length}"); }
        ReceiveAll(frame[arrived..]);
        CheckHash(header, payload);
        return payload;
    }

    /// <summary>Whether so many bytes can be received without waiting.</summary>
    public bool HasArrived(int bytes)
    {
        try { return socket.Available >= bytes; }
        catch (Exception e) when (e is SocketException or ObjectDisposedException) { throw fail(FaultOf(e)); }
    }

    public MeshFaultException Corrupt(string reason) => fail(new MeshFault(FaultKind.Corrupt, rank, $"sent {reason}"));

    private FrameHeader Check(ReadOnlySpan<byte> bytes, FrameKind kind, long round)
    {
        var due = new FrameHeader(kind, membership.Generation, round, _receivedFrames++, 0, 0);
        if (FrameHeader.Read(bytes) is not { } header) { throw Corrupt("bytes that are no frame"); }
        return header.Differs(due) is { } difference ? throw Corrupt(difference) : header;
    }

    private void CheckHash(in FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (FrameHeader.HashOf(payload) != header.Hash) { throw Corrupt("a payload that does not match its hash"); }
    }

    private void RunSender()
    {
        Span<byte> header = stackalloc byte[FrameHeader.Size];
        try
        {
            while (Dequeue() is { } next)
            {
                var payload = new ReadOnlySpan<byte>((void*)next.Payload, next.Length);
                var hash = next.Hash ?? FrameHeader.HashOf(payload);
                new FrameHeader(next.Kind, membership.Generation, next.Round, _sentFrames++, next.Length, hash).Write(header);
                SendAll(header);
                SendAll(payload);
            }
        }
        catch (MeshFaultException)
        {
            // Recorded: the training thread throws it. Only this thread's hold on the payload is left to give back.
            lock (_gate)
            {
                _isSending = false;
                Monitor.PulseAll(_gate);
            }
        }
    }

    private Outgoing? Dequeue()
    {
        lock (_gate)
        {
            if (_isSending && _queue.Count == 0) { Monitor.PulseAll(_gate); } // For a waiting Flush.
            _isSending = false;
            while (_queue.Count == 0 && !_isClosed)
            {
                _isSenderWaiting = true;
                Monitor.Wait(_gate);
                _isSenderWaiting = false;
            }

            if (_isClosed)
            {
                Monitor.PulseAll(_gate);
                return null;
            }

            _isSending = true;
            return _queue.Dequeue();
        }
    }

    private void SendAll(ReadOnlySpan<byte> bytes)
    {
        try
        {
            Interlocked.Add(ref _bytesSent, bytes.Length);
            while (bytes.Length > 0) { bytes = bytes[socket.Send(bytes)..]; }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException) { throw fail(FaultOf(e)); }
    }

    private void ReceiveAll(Span<byte> bytes) => ReceiveSome(bytes, bytes.Length);

    /// <summary>Receives at least so many bytes, and more only where they have come already; returns how many.</summary>
    private int ReceiveSome(Span<byte> bytes, int least)
    {
        try
        {
            var arrived = 0;
            while (arrived < least)
            {
                var count = socket.Receive(bytes[arrived..]);
                if (count == 0) { throw fail(new MeshFault(FaultKind.Closed, rank, "closed its connection")); }
                arrived += count;
                Interlocked.Add(ref _bytesReceived, count);
            }

            return arrived;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException) { throw fail(FaultOf(e)); }
    }

    private MeshFault FaultOf(Exception e) => e is SocketException { SocketErrorCode: SocketError.TimedOut }
        ? new MeshFault(FaultKind.Silent, rank, $"made no progress for {membership.Deadline.TotalSeconds:0.###} s")
        : new MeshFault(FaultKind.Closed, rank, $"lost its connection: {e.Message}");

    /// <summary>Wakes whoever is blocked on this link, in either direction; from any thread.</summary>
    public void Close()
    {
        lock (_gate)
        {
            if (_isClosed) { return; }
            _isClosed = true;
            Monitor.PulseAll(_gate);
        }

        try { socket.Shutdown(SocketShutdown.Both); }
        catch (Exception e) when (e is SocketException or ObjectDisposedException) { return; } // The peer was faster.
    }

    /// <summary>Closes the link, waits for its sender thread and frees the socket.</summary>
    public void Dispose()
    {
        Close();
        _sender?.Join();
        socket.Dispose();
    }
}
