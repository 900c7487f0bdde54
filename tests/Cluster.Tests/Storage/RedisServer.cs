using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Cluster.Tests.Data;
using Cluster.Tests.EndToEnd;

namespace Cluster.Tests.Storage;

/// <summary>A Redis of our own: on a free loopback port, its files in a temporary folder, with a password.</summary>
internal sealed class RedisServer : IDisposable
{
    public const string Password = "not-for-any-log";

    private readonly TemporaryFolder _folder = new();
    private readonly string _program;
    private readonly string[] _arguments;
    private readonly int _port = FreePort.Take();
    private Process _process;

    private RedisServer(string program, bool appendOnly)
    {
        _program = program;
        _arguments =
        [
            "--port", $"{_port}", "--bind", "127.0.0.1", "--dir", _folder.Path, "--requirepass", Password,
            "--appendonly", appendOnly ? "yes" : "no", "--save", "",
        ];
        Connection = $"127.0.0.1:{_port},password={Password}";
        _process = Start();
    }

    /// <summary>For <c>Cluster:Redis</c>.</summary>
    public string Connection { get; }

    /// <summary>Skips the test where there is no <c>redis-server</c> on the path.</summary>
    public static async Task<RedisServer> StartOrSkip(bool appendOnly = true)
    {
        var program = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, "redis-server")).FirstOrDefault(File.Exists);
        Skip.If(program is null, "redis-server is not on the path (Debian: apt-get install redis-server)");
        var server = new RedisServer(program!, appendOnly);
        await server.Listens();
        return server;
    }

    /// <summary>Kills it (SIGKILL) and starts it again on its port and its files; it may not listen yet.</summary>
    public void Restart()
    {
        End();
        _process = Start();
    }

    public void Dispose()
    {
        End();
        _folder.Dispose();
    }

    private void End()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private Process Start()
    {
        var process = Process.Start(new ProcessStartInfo(_program, _arguments) { RedirectStandardOutput = true })!;
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        return process;
    }

    private async Task Listens()
    {
        for (var began = Stopwatch.GetTimestamp(); ;)
        {
            using var socket = new TcpClient();
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, _port);
                return;
            }
            catch (SocketException) when (!_process.HasExited && Stopwatch.GetElapsedTime(began) < SiloProcess.Deadline)
            {
                await Task.Delay(20);
            }
        }
    }
}
