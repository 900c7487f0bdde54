using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Spec;
using Cluster.Grains.Hosting;

namespace Cluster.Benchmarks;

/// <summary>A silo in this process and trainers beside it, each a process of its own, and the jobs that they are given.</summary>
internal sealed partial class TrainerProcesses : IAsyncDisposable
{
    /// <summary>Reached only when something hangs.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    private readonly ClusterSilo _silo;
    private readonly Dictionary<string, Process> _trainers = [];
    private readonly string _store = Directory.CreateTempSubdirectory("cluster-benchmark-").FullName;
    private int _started;

    private TrainerProcesses(ClusterSilo silo) => _silo = silo;

    public static async Task<TrainerProcesses> StartAsync(int trainers)
    {
        var cluster = new TrainerProcesses(await ClusterSilo.StartAsync(new SiloSettings(), CancellationToken.None));
        for (var i = 0; i < trainers; i++) { cluster.Add(); }
        return cluster;
    }

    public void Add()
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"worker-{_started++}");
        _trainers[id] = Process.Start(SiloProcess.Command("Cluster.Trainer.dll", "--Cluster:Gateway", _silo.Gateway.ToString(), "--Cluster:Id", id))!;
    }

    public void Kill(string id)
    {
        Signal(_trainers[id].Id, SIGKILL);
        _trainers.Remove(id, out var dead);
        dead!.WaitForExit();
        dead.Dispose();
    }

    public void Stop(string id) => Signal(_trainers[id].Id, SIGSTOP);

    /// <summary>Waits until so many workers are there and serve no job.</summary>
    public async Task UntilIdleAsync(int workers)
    {
        var pool = _silo.Grains.GetGrain<IPoolGrain>(IPoolGrain.Default);
        for (var began = Stopwatch.GetTimestamp(); (await pool.View()).Workers.Count(worker => worker.JobId is null) < workers; await Task.Delay(2))
        {
            if (Stopwatch.GetElapsedTime(began) > Limit) { throw new InvalidOperationException($"{workers} idle workers did not come in {Limit}"); }
        }
    }

    /// <summary>Data are looked for where <c>CLUSTER_DATA</c> says, then among those that ship.</summary>
    public async Task<IJobGrain> SubmitAsync(string id, string specText, int workers)
    {
        var spec = SpecReader.Read(specText, "the benchmark's spec").Spec!;
        string[] roots = [.. Environment.GetEnvironmentVariable("CLUSTER_DATA")?.Split(Path.PathSeparator) ?? [], Path.Combine(AppContext.BaseDirectory, "data")];
        var job = _silo.Grains.GetGrain<IJobGrain>(id);
        var submitted = await job.Submit(new JobSubmission(SpecText.Write(spec), SpecHash.Of(spec), Path.Combine(_store, id), [.. roots], workers, workers, Resume: false));
        return submitted.Refusal is { } refusal ? throw new InvalidOperationException(refusal) : job;
    }

    /// <summary>Polled every two milliseconds.</summary>
    public static async Task<JobView> UntilAsync(IJobGrain job, Func<JobView, bool> condition, string what)
    {
        for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < Limit; await Task.Delay(2))
        {
            var view = await job.View(long.MaxValue);
            if (condition(view)) { return view; }
            if (view.State.IsFinal) { throw new InvalidOperationException($"the job is {view.State}: {view.Reason}"); }
        }

        throw new InvalidOperationException($"{what} did not come in {Limit}");
    }

    public static void Signal(int process, int signal)
    {
        if (kill(process, signal) != 0) { throw new InvalidOperationException($"process {process} cannot be sent signal {signal}"); }
    }

    public const int SIGKILL = 9, SIGSTOP = 19;

    public async ValueTask DisposeAsync()
    {
        foreach (var id in _trainers.Keys.ToArray()) { Kill(id); }
        await _silo.DisposeAsync();
        Directory.Delete(_store, recursive: true);
    }

    [LibraryImport("libc")]
    private static partial int kill(int pid, int signal);
}
