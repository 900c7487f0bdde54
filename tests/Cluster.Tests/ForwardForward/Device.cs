using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Cluster.Tests.ForwardForward;

/// <summary>A device on a loopback port, for any number of boxes: each request is answered by a function; null closes the connection.</summary>
internal sealed class Device : IDisposable, IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Task _serving;
    private int _connections;

    public Device(Func<uint, uint, float[], (uint Rows, uint Width, float[] Values)?> answer)
    {
        _listener.Start();
        _serving = Task.Run(() => Serve(answer));
    }

    public string Address => $"127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    public int Connections => Volatile.Read(ref _connections);

    /// <summary>To be called when no box is connected any more.</summary>
    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _serving;
    }

    public void Dispose() => _listener.Stop();

    private async Task Serve(Func<uint, uint, float[], (uint Rows, uint Width, float[] Values)?> answer)
    {
        var peers = new List<Task>();
        try
        {
            while (true)
            {
                var peer = await _listener.AcceptTcpClientAsync();
                Interlocked.Increment(ref _connections);
                peers.Add(Task.Factory.StartNew(() => Serve(peer, answer), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default));
            }
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            await Task.WhenAll(peers); // Stopped.
        }
    }

    private static void Serve(TcpClient peer, Func<uint, uint, float[], (uint Rows, uint Width, float[] Values)?> answer)
    {
        using var client = peer;
        using var stream = client.GetStream();
        try
        {
            var header = new uint[2];
            while (true)
            {
                stream.ReadExactly(MemoryMarshal.AsBytes(header.AsSpan()));
                var values = new float[header[0] * header[1]];
                stream.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
                if (answer(header[0], header[1], values) is not { } reply) { return; }
                stream.Write(MemoryMarshal.AsBytes<uint>([reply.Rows, reply.Width]));
                stream.Write(MemoryMarshal.AsBytes<float>(reply.Values));
            }
        }
        catch (Exception end) when (end is EndOfStreamException or IOException)
        {
            // The box closed the connection.
        }
    }
}
