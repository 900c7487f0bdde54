using System.Diagnostics;
using System.Net;
using Cluster.Contracts.Jobs;
using Cluster.ServiceDefaults;

namespace Cluster.Benchmarks;

/// <summary>A silo in a process of its own with its store on disk, and a connection to it.</summary>
internal sealed class SiloProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly ClusterConnection _connection;

    private SiloProcess(Process process, string store, IPEndPoint gateway, ClusterConnection connection) =>
        (_process, Store, Gateway, _connection) = (process, store, gateway, connection);

    public string Store { get; }

    public IPEndPoint Gateway { get; }

    public IGrainFactory Grains => _connection.Grains;

    public Process Process => Refreshed(_process);

    public static async Task<SiloProcess> StartAsync()
    {
        var store = Directory.CreateTempSubdirectory("cluster-benchmark-").FullName;
        var process = Start("Cluster.Grains.dll", "--Cluster:Store", store);
        var gateway = IPEndPoint.Parse(await ReadyAsync(process)); // "The silo is ready: clients connect to 127.0.0.1:41234. Ctrl-C ends it."
        return new SiloProcess(process, store, gateway, await ClusterConnection.ConnectAsync(ClusterAddress.Of(gateway), TimeSpan.FromSeconds(30), CancellationToken.None));
    }

    /// <summary>One of the project's servers, on the same shared frameworks as this program, beside which it lies.</summary>
    public static ProcessStartInfo Command(string program, params string[] arguments)
    {
        var own = Path.Combine(AppContext.BaseDirectory, "Cluster.Benchmarks.runtimeconfig.json");
        return new("dotnet", ["exec", "--runtimeconfig", own, Path.Combine(AppContext.BaseDirectory, program), .. arguments, "--Logging:LogLevel:Default", "Error"]);
    }

    /// <summary>Starts a server that says when it is ready.</summary>
    public static Process Start(string program, params string[] arguments)
    {
        var command = Command(program, arguments);
        command.RedirectStandardOutput = true;
        return Process.Start(command)!;
    }

    /// <summary>The address in the line with which a process says that it is ready.</summary>
    public static async Task<string> ReadyAsync(Process process)
    {
        var line = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("a process did not start");
        return line.Split(' ').First(word => word.Contains(':') && word.Any(char.IsDigit)).TrimEnd('.', ';');
    }

    /// <summary>With the times and sizes of now.</summary>
    public static Process Refreshed(Process process)
    {
        process.Refresh();
        return process;
    }

    /// <summary>Processor time that the process takes, as a share of one core.</summary>
    public static async Task<double> ShareOfCoreAsync(Process process, TimeSpan time)
    {
        var (cpu, began) = (Refreshed(process).TotalProcessorTime, Stopwatch.GetTimestamp());
        await Task.Delay(time);
        return (Refreshed(process).TotalProcessorTime - cpu) / Stopwatch.GetElapsedTime(began);
    }

    public static void End(Process process)
    {
        if (!process.HasExited) { process.Kill(); }
        process.WaitForExit();
        process.Dispose();
    }

    /// <summary>Submits a job that nobody could compute; workers that are simulated play it.</summary>
    public static async Task SubmitAsync(IGrainFactory grains, string id, int workers)
    {
        var result = await grains.GetGrain<IJobGrain>(id).Submit(new JobSubmission("name: none", "none", "/none", [], workers, workers, Resume: false));
        if (result.Refusal is { } refusal) { throw new InvalidOperationException(refusal); }
    }

    public async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync();
        End(_process);
        Directory.Delete(Store, recursive: true);
    }
}
