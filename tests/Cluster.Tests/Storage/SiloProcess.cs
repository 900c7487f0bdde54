using System.Diagnostics;
using System.Net;
using Cluster.Tests.EndToEnd;

namespace Cluster.Tests.Storage;

/// <summary>The silo as a process of its own, which can be killed.</summary>
internal sealed class SiloProcess : IDisposable
{
    /// <summary>Far above what a start takes on two busy cores; reached only when something hangs.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly Task<string> _error;
    private readonly List<string> _output = [];

    private SiloProcess(Process process)
    {
        _process = process;
        _error = process.StandardError.ReadToEndAsync();
    }

    public static SiloProcess Start(params string[] settings) => new(Process.Start(Programs.Start("Cluster.Grains.dll", settings))!);

    /// <summary>The settings of a silo on ports of its own, which stay its own while it is down.</summary>
    public static (string[] Settings, IPEndPoint Gateway) OnFreePorts()
    {
        var gateway = FreePort.Take();
        return (["--Orleans:Endpoints:SiloPort", $"{FreePort.Take()}", "--Orleans:Endpoints:GatewayPort", $"{gateway}"], new(IPAddress.Loopback, gateway));
    }

    /// <summary>Waits for the line that says so.</summary>
    public async Task Ready()
    {
        using var deadline = new CancellationTokenSource(Deadline);
        while (await _process.StandardOutput.ReadLineAsync(deadline.Token) is { } line)
        {
            _output.Add(line);
            if (line.StartsWith("The silo is ready", StringComparison.Ordinal)) { return; }
        }

        Assert.Fail($"the silo ended:\n{await _error}");
    }

    /// <summary>kill -9.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    /// <summary>SIGTERM, as systemd and Kubernetes end a process.</summary>
    public void Terminate() => Signals.Send(_process, Signals.Terminate);

    public async Task<(int ExitCode, string Output, string Error)> End()
    {
        using var deadline = new CancellationTokenSource(Deadline);
        var rest = await _process.StandardOutput.ReadToEndAsync(deadline.Token);
        await _process.WaitForExitAsync(deadline.Token);
        return (_process.ExitCode, string.Join('\n', [.. _output, rest]), await _error);
    }

    public void Dispose()
    {
        if (!_process.HasExited) { _process.Kill(); }
        _process.Dispose();
    }
}
