using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Cluster.Tests.EndToEnd;

/// <summary>The tool <c>cluster</c> as a user starts it: a process of its own, with real workers.</summary>
internal static class Tool
{
    /// <summary>Far above what any of these runs takes on two busy cores; reached only when something hangs.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromMinutes(4);

    /// <summary>The program, for <c>dotnet</c>.</summary>
    public static string Path { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, "cluster.dll");

    public static ToolProcess Start(params string[] arguments) => StartProgram("dotnet", [Path, .. arguments]);

    /// <summary>Any program, for one that starts the tool in surroundings of its own.</summary>
    public static ToolProcess StartProgram(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return new ToolProcess(Process.Start(start)!);
    }

    /// <summary>Runs to the end.</summary>
    public static ToolResult Run(params string[] arguments)
    {
        using var process = Start(arguments);
        return process.End();
    }

    /// <summary>Runs inside this process, for what ends before any worker starts: milliseconds instead of a second.</summary>
    public static async Task<ToolResult> RunHereAsync(params string[] arguments)
    {
        var (output, error) = (Console.Out, Console.Error);
        using var writtenOutput = new StringWriter();
        using var writtenError = new StringWriter();
        try
        {
            Console.SetOut(writtenOutput);
            Console.SetError(writtenError);
            var exitCode = await Cluster.Cli.CommandTree.InvokeAsync(arguments);
            return new ToolResult(exitCode, writtenOutput.ToString(), writtenError.ToString());
        }
        finally
        {
            Console.SetOut(output);
            Console.SetError(error);
        }
    }

    /// <summary>Runs a job and reads the report it leaves.</summary>
    public static (ToolResult Result, JsonElement Report) RunJob(string spec, string store, params string[] arguments)
    {
        var json = System.IO.Path.Combine(store, $"report-{Guid.NewGuid():N}.json");
        Directory.CreateDirectory(store);
        var result = Run(["run", spec, "--store", store, "--json", json, .. arguments]);
        if (!File.Exists(json) || new FileInfo(json).Length == 0) { Assert.Fail($"no report; exit code {result.ExitCode}\n{result.Output}\n{result.Error}"); }
        return (result, JsonDocument.Parse(File.ReadAllText(json)).RootElement);
    }
}

internal sealed record ToolResult(int ExitCode, string Output, string Error)
{
    public string All => Output + Error;
}

internal sealed class ToolProcess : IDisposable
{
    private readonly Process _process;
    private readonly Task<string> _output;
    private readonly Task<string> _error;

    public ToolProcess(Process process)
    {
        _process = process;
        _output = process.StandardOutput.ReadToEndAsync();
        _error = process.StandardError.ReadToEndAsync();
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public ToolResult End()
    {
        if (!_process.WaitForExit(Tool.Deadline))
        {
            _process.Kill(entireProcessTree: true);
            Assert.Fail($"the tool did not end in {Tool.Deadline}:\n{_output.Result}\n{_error.Result}");
        }

        return new ToolResult(_process.ExitCode, _output.Result, _error.Result);
    }

    /// <summary>Process id of a worker, by its name.</summary>
    public int Worker(string name) => Children().Single(id => File.ReadAllText($"/proc/{id}/cmdline").Contains($"--Cluster:Id\0{name}\0", StringComparison.Ordinal));

    /// <summary>Each thread lists the processes that it started.</summary>
    private IEnumerable<int> Children() =>
        from thread in Directory.EnumerateDirectories($"/proc/{_process.Id}/task")
        let list = $"{thread}/children"
        where File.Exists(list) // A thread of the pool may end meanwhile.
        from id in File.ReadAllText(list).Split(' ', StringSplitOptions.RemoveEmptyEntries)
        select int.Parse(id, CultureInfo.InvariantCulture);

    /// <summary>
    /// Ctrl-C, as a terminal sends it. Where the tests themselves were started with Ctrl-C ignored (by a shell, in the background),
    /// so is the tool, and SIGTERM, which it takes the same way, stands in.
    /// </summary>
    public void Interrupt() => Signals.Send(_process, IsInterruptIgnored() ? Signals.Terminate : Signals.Interrupt);

    private static bool IsInterruptIgnored()
    {
        const string status = "/proc/self/status", ignored = "SigIgn:";
        var mask = File.Exists(status) ? File.ReadLines(status).FirstOrDefault(line => line.StartsWith(ignored, StringComparison.Ordinal)) : null;
        return mask is not null && (ulong.Parse(mask[ignored.Length..].Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) & (1UL << (Signals.Interrupt - 1))) != 0;
    }

    /// <summary>kill -9 of the tool and every worker, with no chance to say goodbye.</summary>
    public void KillAll() => _process.Kill(entireProcessTree: true);

    /// <summary>Waits for a state of the outside world, with a deadline.</summary>
    public void WaitUntil(Func<bool> state, string what)
    {
        var began = Stopwatch.GetTimestamp();
        while (!state())
        {
            if (_process.HasExited) { Assert.Fail($"the tool ended with {_process.ExitCode} before {what}:\n{_output.Result}\n{_error.Result}"); }
            if (Stopwatch.GetElapsedTime(began) > Tool.Deadline) { Assert.Fail(string.Create(CultureInfo.InvariantCulture, $"{what} did not come in {Tool.Deadline}")); }
            _process.WaitForExit(TimeSpan.FromMilliseconds(20));
        }
    }

    public void Dispose()
    {
        if (!_process.HasExited) { _process.Kill(entireProcessTree: true); }
        _process.Dispose();
    }
}
