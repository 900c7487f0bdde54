using System.Net;
using System.Net.Sockets;

namespace Cluster.Trainer.Core.Collectives;

/// <summary>
/// The door of the data plane: one a process, open before any rank is known and across jobs and generations. It authenticates
/// every connection and hands it to the mesh that expects it.
/// </summary>
/// <remarks>
/// Whoever reaches the port can hold at most <see cref="MaxHandshakes"/> threads for <see cref="HandshakeLimit"/>; nothing is
/// allocated from what it sends. Handshakes run on threads of their own with blocking sockets: a socket that was used
/// asynchronously once stays non-blocking in the kernel, and every later blocking call on it goes through a poll.
/// </remarks>
internal sealed class DataPlaneListener : IDisposable
{
    public const int MaxHandshakes = 64;
    public static readonly TimeSpan HandshakeLimit = TimeSpan.FromSeconds(5);

    private readonly Socket _socket;
    private readonly Action<string>? _refused;
    private readonly ManualResetEvent _stopped = new(false);
    private readonly Thread _acceptor;
    private readonly Lock _gate = new();
    private readonly HashSet<Socket> _handshakes = [];
    private Admission? _expected;
    private long _refusedCount;

    /// <param name="address">Where to listen; the loopback address when null.</param>
    /// <param name="port">0: chosen by the system.</param>
    /// <param name="refused">Told why a connection was refused, in words, on a thread of the listener.</param>
    public DataPlaneListener(IPAddress? address = null, int port = 0, Action<string>? refused = null)
    {
        _refused = refused;
        address ??= IPAddress.Loopback;
        _socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        SocketTuning.Apply(_socket); // Accepted sockets inherit the buffers; set later they would not widen the window.
        _socket.Bind(new IPEndPoint(address, port));
        _socket.Listen(512);
        EndPoint = (IPEndPoint)_socket.LocalEndPoint!;
        _acceptor = new Thread(Accept) { Name = "data plane accept", IsBackground = true };
        _acceptor.Start();
    }

    public IPEndPoint EndPoint { get; }

    /// <summary>Connections that were closed because their handshake failed.</summary>
    public long RefusedCount => Interlocked.Read(ref _refusedCount);

    /// <summary>Lets in the members that <paramref name="admission"/> names, until <see cref="Forget"/>.</summary>
    /// <exception cref="InvalidOperationException">Another generation is still let in.</exception>
    public void Expect(Admission admission)
    {
        lock (_gate)
        {
            if (_expected is not null) { throw new InvalidOperationException("dispose the mesh of the generation before first"); }
            _expected = admission;
        }
    }

    public void Forget(Admission admission)
    {
        lock (_gate) { if (_expected == admission) { _expected = null; } }
        admission.Dispose();
    }

    private void Accept()
    {
        while (!_stopped.WaitOne(0))
        {
            Socket socket;
            try
            {
                socket = _socket.Accept();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // Out of file descriptors, or the caller was gone before we came: neither must end or spin this thread.
                if (!_stopped.WaitOne(TimeSpan.FromMilliseconds(50))) { Refuse(null, e.Message); }
                continue;
            }

            lock (_gate)
            {
                if (_handshakes.Count < MaxHandshakes && !_stopped.WaitOne(0))
                {
                    _handshakes.Add(socket);
                    new Thread(() => Greet(socket)) { Name = "data plane handshake", IsBackground = true }.Start();
                    continue;
                }
            }

            Refuse(socket, $"{MaxHandshakes} handshakes are open already");
        }
    }

    private void Greet(Socket socket)
    {
        try
        {
            Span<byte> bytes = stackalloc byte[Hello.Size];
            if (!BoundedReceive.TryReceive(socket, bytes, HandshakeLimit)) { Refuse(socket, "no complete hello"); return; }
            if (!Hello.TryRead(bytes, out var version, out var hello)) { Refuse(socket, "not a hello"); return; }

            Admission? expected;
            lock (_gate) { expected = _expected; }
            var answer = version != Hello.Version ? Admittance.WrongProtocol : expected?.Judge(hello) ?? Admittance.NotReady;

            Span<byte> reply = stackalloc byte[Hello.AnswerSize];
            Hello.WriteAnswer(reply, answer);
            socket.SendTimeout = (int)HandshakeLimit.TotalMilliseconds;
            socket.Send(reply);
            if (answer == Admittance.NotReady)
            {
                socket.Dispose(); // Ordinary while ranks start one after another: the caller tries again.
            }
            else if (answer != Admittance.Admitted || !expected!.Offer(hello.From, socket))
            {
                Refuse(socket, $"{answer}: rank {hello.From}, generation {hello.Generation}");
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            Refuse(socket, e.Message);
        }
        finally
        {
            lock (_gate) { _handshakes.Remove(socket); }
        }
    }

    private void Refuse(Socket? socket, string reason)
    {
        var caller = socket is null ? null : Caller(socket);
        socket?.Dispose();
        Interlocked.Increment(ref _refusedCount);
        _refused?.Invoke(caller is null ? reason : $"{caller}: {reason}");
    }

    private static EndPoint? Caller(Socket socket)
    {
        try { return socket.RemoteEndPoint; }
        catch (Exception e) when (e is SocketException or ObjectDisposedException) { return null; } // Already gone.
    }

    public void Dispose()
    {
        _stopped.Set();
        _socket.Dispose();
        _acceptor.Join();
        lock (_gate)
        {
            foreach (var socket in _handshakes) { socket.Dispose(); }
        }
    }
}
