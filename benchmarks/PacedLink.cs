using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Cluster.Benchmarks;

/// <summary>
/// A network link between two processes of this machine: a port that hands on what comes, in both directions, at no more than so many
/// bytes a second each. No delay of its own beyond that.
/// </summary>
internal sealed class PacedLink : IDisposable
{
    /// <summary>How far it may fall behind and still catch up: a sleep ends a millisecond or two late.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromMilliseconds(4);

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ManualResetEvent _closed = new(false);
    private readonly int _target;
    private readonly double _bytesPerSecond;

    public PacedLink(int target, double bytesPerSecond)
    {
        (_target, _bytesPerSecond) = (target, bytesPerSecond);
        _listener.Start();
        Start(Accept);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    private void Accept()
    {
        while (true)
        {
            var from = _listener.AcceptSocket();
            var to = new Socket(SocketType.Stream, ProtocolType.Tcp);
            to.Connect(IPAddress.Loopback, _target);
            (from.NoDelay, to.NoDelay) = (true, true);
            Start(() => Pump(from, to));
            Start(() => Pump(to, from));
        }
    }

    private void Pump(Socket from, Socket to)
    {
        var buffer = new byte[64 << 10];
        var free = Stopwatch.GetTimestamp(); // When the link has carried what was handed on.
        while (from.Receive(buffer) is > 0 and var count)
        {
            var now = Stopwatch.GetTimestamp();
            free = Math.Max(free, now - (long)(Slack.TotalSeconds * Stopwatch.Frequency)) + (long)(count / _bytesPerSecond * Stopwatch.Frequency);
            if (free > now && _closed.WaitOne(TimeSpan.FromSeconds((double)(free - now) / Stopwatch.Frequency))) { return; }
            to.Send(buffer.AsSpan(0, count));
        }

        to.Shutdown(SocketShutdown.Send);
    }

    /// <summary>Ends with its sockets: that is how the ranks end.</summary>
    private static void Start(Action work) => new Thread(() =>
    {
        try { work(); }
        catch (Exception e) when (e is SocketException or ObjectDisposedException) { }
    }) { IsBackground = true }.Start();

    public void Dispose()
    {
        _closed.Set();
        _listener.Dispose();
    }
}
