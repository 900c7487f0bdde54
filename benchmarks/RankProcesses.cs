using System.Diagnostics;
using System.Globalization;

namespace Cluster.Benchmarks;

/// <summary>The processes of a benchmark, one a rank, which obey lines on their standard input and answer each with a line.</summary>
internal sealed class RankProcesses : IDisposable
{
    private readonly Process[] _processes;

    public RankProcesses(int count, Func<int, (string Program, string[] Arguments)> command) =>
        _processes = [.. Enumerable.Range(0, count).Select(command).Select(c =>
            Process.Start(new ProcessStartInfo(c.Program, c.Arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })!)];

    /// <summary>This very program as a command: of its own, or as <c>dotnet benchmarks.dll</c>.</summary>
    public static (string Program, string[] Arguments) ThisProgram(params string[] arguments)
    {
        // A framework-dependent start has the host as its process and this assembly as its first argument.
        var program = Environment.ProcessPath!;
        return (program, Path.GetFileNameWithoutExtension(program) == "dotnet" ? [Environment.GetCommandLineArgs()[0], .. arguments] : arguments);
    }

    /// <summary>Hears each rank's port and tells all ranks all ports; or, where each is <paramref name="alone"/>, its own.</summary>
    /// <param name="link">Of a rank's port, the one under which the others reach it.</param>
    public void Introduce(bool alone, Func<int, int>? link = null)
    {
        string[] ports = [.. Hear().Select(port => link is null ? port : $"{link(int.Parse(port, CultureInfo.InvariantCulture))}")];
        foreach (var (process, port) in _processes.Zip(ports)) { process.StandardInput.WriteLine(alone ? port : string.Join(' ', ports)); }
    }

    public void Tell(string line)
    {
        foreach (var process in _processes) { process.StandardInput.WriteLine(line); }
    }

    /// <summary>One line from each rank.</summary>
    public string[] Hear() => [.. _processes.Select(p =>
        p.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"{p.StartInfo.FileName} {string.Join(' ', p.StartInfo.ArgumentList)} ended"))];

    /// <summary>Has every rank measure the same; answers milliseconds a sample, of the slowest rank.</summary>
    public IEnumerable<double> Time(string command)
    {
        Tell(command);
        var ranks = Hear().Select(line => line.Split(' ').Select(t => double.Parse(t, CultureInfo.InvariantCulture)).ToArray()).ToArray();
        return Enumerable.Range(0, ranks[0].Length).Select(sample => ranks.Max(times => times[sample]));
    }

    /// <summary>Ends the ranks: the end of their input tells them so.</summary>
    public void Dispose()
    {
        foreach (var process in _processes) { process.StandardInput.Close(); }
        foreach (var process in _processes)
        {
            if (!process.WaitForExit(TimeSpan.FromSeconds(10))) { process.Kill(); }
            process.Dispose();
        }
    }
}
