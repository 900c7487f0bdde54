using System.Diagnostics;
using Cluster.Tests.EndToEnd;

namespace Cluster.Tests.Collectives;

/// <summary>Ranks that are processes of their own; see <see cref="RankProgram"/>.</summary>
internal sealed class ProcessRanks : IDisposable
{
    private readonly Process[] _processes;

    public ProcessRanks(int ranks, bool sharesMemory, TimeSpan deadline)
    {
        _processes = [.. Enumerable.Range(0, ranks).Select(rank => Start("rank", $"{rank}", $"{ranks}", $"{sharesMemory}", $"{deadline.TotalMilliseconds:0}"))];
        var ports = string.Join(' ', _processes.Select(process => process.StandardOutput.ReadLine()));
        foreach (var process in _processes) { process.StandardInput.WriteLine(ports); }
        foreach (var process in _processes) { Assert.Equal(sharesMemory ? "connected shared" : "connected", process.StandardOutput.ReadLine()); }
    }

    public int IdOf(int rank) => _processes[rank].Id;

    /// <summary>Returns when the rank has done so many rounds.</summary>
    public void Await(int rank, int rounds)
    {
        for (var line = ""; line != $"{rounds}";)
        {
            line = _processes[rank].StandardOutput.ReadLine();
            Assert.False(line is null || line.StartsWith("fault", StringComparison.Ordinal), $"rank {rank} ends with {line} before round {rounds}");
        }
    }

    /// <summary>kill -9.</summary>
    public void Kill(int rank) => _processes[rank].Kill();

    public void Stop(int rank) => Signals.Send(_processes[rank], Signals.Stop);

    /// <summary>The line with which the rank ends.</summary>
    public async Task<string> End(int rank)
    {
        var lines = await _processes[rank].StandardOutput.ReadToEndAsync().WaitAsync(Within.Limit);
        return lines.TrimEnd().Split('\n')[^1];
    }

    public void Dispose()
    {
        foreach (var process in _processes)
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }
    }

    private static Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", ["exec", typeof(ProcessRanks).Assembly.Location, .. arguments]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment["DOTNET_EnableDiagnostics"] = "0"; // The runtime's own files under /tmp, which a killed process leaves.
        return Process.Start(start)!;
    }
}
