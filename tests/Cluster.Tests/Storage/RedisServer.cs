using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Cluster.Grains.Hosting;
using Cluster.Tests.Data;

namespace Cluster.Tests.Storage;

/// <summary>A Redis of our own: on a free loopback port, its files in a temporary folder, with a password.</summary>
internal sealed class RedisServer : IDisposable
{
    public const string Password = "not-for-any-log";

    private readonly TemporaryFolder _folder;
    private readonly Process _process;

    private RedisServer(Process process, int port, TemporaryFolder folder)
    {
        (_process, _folder) = (process, folder);
        Connection = $"127.0.0.1:{port},password={Password}";
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
    }

    /// <summary>For <c>Cluster:Redis</c>.</summary>
    public string Connection { get; }

    /// <summary>Skips the test where there is no <c>redis-server</c> on the path.</summary>
    public static async Task<RedisServer> StartOrSkip(bool appendOnly = true)
    {
        var program = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, "redis-server")).FirstOrDefault(File.Exists);
        Skip.If(program is null, "redis-server is not on the path (Debian: apt-get install redis-server)");
        var port = Ports.Choose(IPAddress.Loopback, new PortChoice(0, "test"))[0];
        var folder = new TemporaryFolder();
        string[] arguments =
        [
            "--port", $"{port}", "--bind", "127.0.0.1", "--dir", folder.Path, "--requirepass", Password,
            "--appendonly", appendOnly ? "yes" : "no", "--save", "",
        ];
        var server = new RedisServer(Process.Start(new ProcessStartInfo(program!, arguments) { RedirectStandardOutput = true })!, port, folder);
        await server.Listens(port);
        return server;
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _folder.Dispose();
    }

    private async Task Listens(int port)
    {
        for (var began = Stopwatch.GetTimestamp(); ;)
        {
            using var socket = new TcpClient();
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, port);
                return;
            }
            catch (SocketException) when (!_process.HasExited && Stopwatch.GetElapsedTime(began) < SiloProcess.Deadline)
            {
                await Task.Delay(20);
            }
        }
    }
}
