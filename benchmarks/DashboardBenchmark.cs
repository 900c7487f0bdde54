using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using Cluster.Contracts.Jobs;
using static Cluster.Benchmarks.Statistics;

namespace Cluster.Benchmarks;

/// <summary>
/// The public door under load: a dashboard in a process of its own beside a silo in another. Live viewers of one job that reports ten
/// rounds a second, as event streams and nothing else; then the list of jobs with many jobs in the store.
/// </summary>
/// <remarks>Prints the dashboard's processor time as a share of one core, what the viewers got, and how long a page of the list takes.</remarks>
internal static class DashboardBenchmark
{
    private const int RoundsPerSecond = 10;
    private const int Requests = 1_000;
    private static readonly TimeSpan Time = TimeSpan.FromSeconds(30);

    public static int Run(string[] args) => RunAsync(
        viewers: args is [var v, ..] ? int.Parse(v, CultureInfo.InvariantCulture) : 200,
        jobs: args is [_, var j, ..] ? int.Parse(j, CultureInfo.InvariantCulture) : 10_000).GetAwaiter().GetResult();

    private static async Task<int> RunAsync(int viewers, int jobs)
    {
        await using var silo = await SiloProcess.StartAsync();
        var dashboard = SiloProcess.Start(
            "Cluster.Dashboard.dll", "--Cluster:Gateway", silo.Gateway.ToString(), "--Cluster:Store", silo.Store, "--Cluster:Urls", "http://127.0.0.1:0", "--Cluster:RequestsPerSecond", "100000");
        try
        {
            using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri(new Uri(await SiloProcess.ReadyAsync(dashboard)), "/api/v1/"), Timeout = Timeout.InfiniteTimeSpan };
            Console.WriteLine("| what | value |");
            Console.WriteLine("|---|---:|");
            await ViewAsync(silo.Grains, dashboard, http, viewers);
            await ListAsync(silo.Grains, http, jobs);
            return 0;
        }
        finally
        {
            SiloProcess.End(dashboard);
        }
    }

    private static async Task ViewAsync(IGrainFactory grains, Process dashboard, HttpClient http, int viewers)
    {
        using var stop = new CancellationTokenSource();
        await SiloProcess.SubmitAsync(grains, "watched", workers: 1);
        var worker = new Reporter(grains).LiveAsync("watched", stop.Token);
        var seen = new long[viewers];
        var streams = Enumerable.Range(0, viewers).Select(i => ReadAsync(http, "jobs/watched/events", bytes => seen[i] += bytes, stop.Token)).ToArray();
        while (seen.Any(bytes => bytes == 0))
        {
            await Task.WhenAny([Task.Delay(100, CancellationToken.None), .. streams]);
            if (streams.FirstOrDefault(stream => stream.IsCompleted) is { } ended) { await ended; }
        }

        var before = seen.Sum();
        var share = await SiloProcess.ShareOfCoreAsync(dashboard, Time);
        PrintRow(string.Create(CultureInfo.InvariantCulture, $"{viewers} viewers, a job of {RoundsPerSecond} rounds a second: dashboard's processor time, share of one core"), $"{share:P0}");
        PrintRow("sent to each viewer, KB a second", $"{(seen.Sum() - before) / Time.TotalSeconds / viewers / 1000:F1}");
        PrintRow("memory of the dashboard, MiB", $"{SiloProcess.Refreshed(dashboard).WorkingSet64 / 1024.0 / 1024:F0}");
        await stop.CancelAsync();
        await Task.WhenAll([worker, .. streams]);
    }

    private static async Task ListAsync(IGrainFactory grains, HttpClient http, int jobs)
    {
        await Parallel.ForEachAsync(Enumerable.Range(0, jobs), new ParallelOptions { MaxDegreeOfParallelism = 64 }, async (i, _) =>
        {
            var id = string.Create(CultureInfo.InvariantCulture, $"job-{i}");
            await SiloProcess.SubmitAsync(grains, id, workers: 1);
            await grains.GetGrain<IJobGrain>(id).Stop("it was only to be in the list");
        });

        var took = new List<double>();
        for (var i = 0; i <= Requests; i++)
        {
            var began = Stopwatch.GetTimestamp();
            await http.GetStringAsync("jobs");
            if (i > 0) { took.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds); } // The first one warms up.
        }

        PrintRow(string.Create(CultureInfo.InvariantCulture, $"GET /api/v1/jobs with {jobs} jobs, median ms"), $"{Median(took):F1}");
        PrintRow("the same, p99 ms", $"{Quantile(took, 0.99):F1}");
    }

    private static async Task ReadAsync(HttpClient http, string address, Action<int> count, CancellationToken stop)
    {
        var buffer = new byte[1 << 14];
        try
        {
            await using var stream = await http.GetStreamAsync(address, stop);
            while (await stream.ReadAsync(buffer, stop) is > 0 and var bytes) { count(bytes); }
        }
        catch (OperationCanceledException)
        {
            // The viewer goes.
        }
    }

    /// <summary>A worker that trains nothing and reports a round ten times a second, with as many curves as a job of LAMB has.</summary>
    private sealed class Reporter(IGrainFactory grains) : IWorkerBell
    {
        private static readonly ImmutableDictionary<string, double> Values = new[] { "loss", "lr", "gradNorm", "weightNorm", "trustMean", "samplesPerSecond" }.ToImmutableDictionary(name => name, _ => 0.1234567);

        public Task Ring() => Task.CompletedTask;

        public async Task LiveAsync(string job, CancellationToken stop)
        {
            var self = new WorkerInfo("reporter", 1, "127.0.0.1", 1, 1, 0, 1 << 30);
            var bell = grains.CreateObjectReference<IWorkerBell>(this);
            var grain = grains.GetGrain<IWorkerGrain>(self.Id);
            JobReport? report = null;
            using var tick = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / RoundsPerSecond));
            while (!stop.IsCancellationRequested)
            {
                report = await grain.Heartbeat(self, report, bell) switch
                {
                    Directive.Prepare => new JobReport(job, 0, 0, IsReady: true, 0, 1_000_000, 0, [], null, [], null, null),
                    Directive.Train train => Next(report!) with { Generation = train.Assignment.Generation, Known = train.Assignment.Generation },
                    Directive.Continue when report is { Generation: > 0 } => Next(report),
                    _ => report,
                };
                await tick.WaitForNextTickAsync(CancellationToken.None);
            }
        }

        private static JobReport Next(JobReport report) => report with
        {
            Round = report.Round + 1,
            LeavesComputed = report.Round + 1,
            Samples = [new RoundSample(report.Round + 1, IsEvaluation: false, 0.1 * report.Round, 64 * report.Round, 0, Values)],
        };
    }
}
