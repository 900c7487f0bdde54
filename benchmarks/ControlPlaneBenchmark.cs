using System.Diagnostics;
using System.Globalization;
using System.Net;
using Cluster.Contracts.Jobs;
using Cluster.Grains.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;

namespace Cluster.Benchmarks;

/// <summary>
/// A silo in a process of its own under the heartbeats of simulated workers, once a second each: how much of a core it takes,
/// and how long it is from a submission until all workers of the job are told to compute (they make ready in no time).
/// </summary>
/// <remarks>Options: <c>--workers 10000</c>, <c>--seconds 20</c>, <c>--jobs 200</c>, <c>--size 8</c> (workers a job).</remarks>
internal static class ControlPlaneBenchmark
{
    public static int Run(string[] args) => args is ["--silo"] ? Silo().GetAwaiter().GetResult() : Measure(args).GetAwaiter().GetResult();

    private static async Task<int> Silo()
    {
        await using var silo = await ClusterSilo.StartAsync(new SiloSettings(), CancellationToken.None);
        Console.WriteLine(silo.Gateway);
        await Task.Run(Console.In.ReadToEnd); // Until the other process ends.
        return 0;
    }

    private static async Task<int> Measure(string[] args)
    {
        var (workers, seconds, jobs, size) = (10_000, 20, 200, 8);
        for (var i = 0; i + 1 < args.Length; i += 2)
        {
            var value = int.Parse(args[i + 1], CultureInfo.InvariantCulture);
            switch (args[i])
            {
                case "--workers": workers = value; break;
                case "--seconds": seconds = value; break;
                case "--jobs": jobs = value; break;
                case "--size": size = value; break;
                default: Console.Error.WriteLine($"unknown option {args[i]}: known are --workers, --seconds, --jobs, --size"); return 2;
            }
        }

        using var silo = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["control-plane", "--silo"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        using var client = await Connect(IPEndPoint.Parse((await silo.StandardOutput.ReadLineAsync())!));
        var grains = client.Services.GetRequiredService<IGrainFactory>();
        using var end = new CancellationTokenSource();
        var all = Enumerable.Range(0, workers).Select(i => new SimulatedWorker(grains, $"worker-{i}")).ToArray();
        var lives = all.Select((worker, i) => worker.Live(TimeSpan.FromSeconds((double)i / workers), end.Token)).ToArray();
        while (all.Any(w => w.Beats < 3)) { await Task.Delay(100); } // Registered, and everything is compiled.

        await MeasureLoad(silo, all, seconds);
        await MeasureSubmissions(grains, all, jobs, size);

        await end.CancelAsync();
        await Task.WhenAll(lives);
        silo.StandardInput.Close();
        await silo.WaitForExitAsync();
        return 0;
    }

    private static async Task MeasureLoad(Process silo, SimulatedWorker[] all, int seconds)
    {
        silo.Refresh();
        var (clock, cpu, beats) = (Stopwatch.StartNew(), silo.TotalProcessorTime, all.Sum(w => w.Beats));
        await Task.Delay(TimeSpan.FromSeconds(seconds));
        silo.Refresh();
        var (wall, used) = (clock.Elapsed.TotalSeconds, (silo.TotalProcessorTime - cpu).TotalSeconds);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{all.Length} workers: {(all.Sum(w => w.Beats) - beats) / wall:f0} heartbeats/s on {used / wall:f2} cores, {silo.WorkingSet64 >> 20} MiB"));
    }

    private static async Task MeasureSubmissions(IGrainFactory grains, SimulatedWorker[] all, int jobs, int size)
    {
        var times = new List<double>();
        for (var i = 0; i < jobs + 20; i++)
        {
            var begun = Arrivals.Expect($"job-{i}", size);
            var clock = Stopwatch.StartNew();
            await grains.GetGrain<IJobGrain>($"job-{i}").Submit(new("name: nothing", "hash", "/store/nothing", [], size, size, Resume: false));
            await begun;
            if (i >= 20) { times.Add(clock.Elapsed.TotalMilliseconds); } // The first ones compile.
            await Task.Delay(50); // Its workers go home.
        }

        times.Sort();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{jobs} jobs of {size} at that load: submission to all workers computing, median {times[times.Count / 2]:f1} ms, p99 {times[(int)(times.Count * 0.99)]:f1} ms, max {times[^1]:f1} ms"));
    }

    private static async Task<IHost> Connect(IPEndPoint gateway)
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.UseOrleansClient(c => c.UseStaticClustering(gateway).Configure<ClusterOptions>(o =>
            (o.ClusterId, o.ServiceId) = (ClusterIdentity.ClusterId, ClusterIdentity.ServiceId)));
        var host = builder.Build();
        await host.StartAsync();
        return host;
    }

    /// <summary>Counts the workers of each job that have been told to compute.</summary>
    private static class Arrivals
    {
        private static readonly Lock Gate = new();
        private static readonly Dictionary<string, (int Missing, TaskCompletionSource All)> Expected = [];

        public static Task Expect(string jobId, int workers)
        {
            var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (Gate) { Expected[jobId] = (workers, all); }
            return all.Task;
        }

        public static void Arrive(string jobId)
        {
            lock (Gate)
            {
                var (missing, all) = Expected[jobId];
                Expected[jobId] = (missing - 1, all);
                if (missing == 1) { all.SetResult(); }
            }
        }
    }

    /// <summary>Ready for every job at once, and done with it at once.</summary>
    private sealed class SimulatedWorker : IWorkerBell
    {
        private readonly IWorkerGrain _grain;
        private readonly IWorkerBell _bell;
        private readonly WorkerInfo _info;
        private TaskCompletionSource _rung = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public SimulatedWorker(IGrainFactory grains, string id)
        {
            _grain = grains.GetGrain<IWorkerGrain>(id);
            _bell = grains.CreateObjectReference<IWorkerBell>(this);
            _info = new(id, Environment.ProcessId, "127.0.0.1", 5000, Cores: 1, Gpus: 0, MemoryBytes: 1 << 30);
        }

        public long Beats { get; private set; }

        public Task Ring()
        {
            _rung.TrySetResult();
            return Task.CompletedTask;
        }

        public async Task Live(TimeSpan delay, CancellationToken end)
        {
            JobReport? report = null;
            await Wait(delay, end);
            while (!end.IsCancellationRequested)
            {
                _rung = new(TaskCreationOptions.RunContinuationsAsynchronously);
                var before = report;
                report = Act(await _grain.Heartbeat(_info, report, _bell), report);
                Beats++;
                if (report == before) { await Wait(ClusterTiming.IdleHeartbeat, end); }
            }
        }

        private async Task Wait(TimeSpan time, CancellationToken end) => await Task.WhenAny(_rung.Task, Task.Delay(time, end));

        private static JobReport? Act(Directive directive, JobReport? report)
        {
            switch (directive)
            {
                case Directive.Prepare prepare:
                    return new(prepare.JobId, Generation: 0, Known: 0, IsReady: true, Round: 0, Rounds: 1, LeavesComputed: 0, [], null, [], null, null);
                case Directive.Train { Assignment: var a }:
                    Arrivals.Arrive(a.JobId);
                    var outcome = new Outcome(JobState.Succeeded, null, new('a', 64), System.Collections.Immutable.ImmutableDictionary<string, string>.Empty);
                    return new(a.JobId, a.Generation, a.Generation, IsReady: true, Round: 1, Rounds: 1, LeavesComputed: 1, [], null, [], null, outcome);
                case Directive.Continue:
                    return report;
                default:
                    return null;
            }
        }
    }
}
