using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Cluster.Tests.Data;

/// <summary>An HTTP/1.1 server on this machine: answers each path with the bytes it was given, any other with 404.</summary>
internal sealed class LoopbackServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Dictionary<string, byte[]> _answers = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _serving;

    public LoopbackServer()
    {
        _listener.Start();
        _serving = ServeAsync();
    }

    public int Requests { get; private set; }

    public Uri Url(string path) => new($"http://{_listener.LocalEndpoint}{path}");

    public Uri Add(string path, byte[] body)
    {
        _answers[path] = [.. Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n"), .. body];
        return Url(path);
    }

    /// <summary>Promises the whole body and closes after a part of it.</summary>
    public Uri AddCutOff(string path, byte[] body, int sent)
    {
        Add(path, body);
        _answers[path] = _answers[path][..^(body.Length - sent)];
        return Url(path);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _serving;
        _stop.Dispose();
        _listener.Dispose();
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                await using var stream = client.GetStream();
                using var reader = new StreamReader(stream, Encoding.ASCII);
                var path = (await reader.ReadLineAsync(_stop.Token))!.Split(' ')[1];
                while (await reader.ReadLineAsync(_stop.Token) is { Length: > 0 }) { }
                Requests++;
                try
                {
                    await stream.WriteAsync(_answers.GetValueOrDefault(path, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray()), _stop.Token);
                }
                catch (IOException)
                {
                    // The client had enough and closed: the case "too large".
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }
}
