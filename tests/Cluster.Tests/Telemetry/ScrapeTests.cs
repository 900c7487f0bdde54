using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Cluster.Contracts.Jobs;
using Cluster.ServiceDefaults;
using Cluster.Tests.Api;
using Cluster.Tests.Control;
using Cluster.Tests.Data;
using Cluster.Tests.EndToEnd;
using Cluster.Tests.Storage;

namespace Cluster.Tests.Telemetry;

/// <summary>Real hosts answer Prometheus with the names of the table.</summary>
public sealed partial class ScrapeTests
{
    /// <summary>A process of its own: in this one other tests' silos measure too.</summary>
    [Fact]
    public async Task A_silo_offers_its_metrics_beside_its_health()
    {
        var (settings, gateway) = SiloProcess.OnFreePorts();
        var port = FreePort.Take();
        using var store = new TemporaryFolder();
        using var process = SiloProcess.Start([.. settings, "--Cluster:Store", store.Path, "--Cluster:HealthPort", $"{port}"]);
        await process.Ready();
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        await using var client = await ClusterConnection.ConnectAsync(ClusterAddress.Of(gateway), SiloProcess.Deadline, CancellationToken.None);

        var workers = new[] { "w0", "w1" }.Select(id => new FakeWorker(client.Grains, id)).ToArray();
        foreach (var worker in workers) { await worker.Beat(); }
        foreach (var (job, count) in ((string, int)[])[("first", 2), ("second", 1), ("third", 1)]) { await SubmitAsync(client.Grains, job, count); }
        await Task.WhenAll(workers.Select(worker => worker.BeatUntilTraining("first")));
        var metrics = await UntilAsync(
            http,
            text => Value(text, "cluster_workers", "busy") == 2 && Value(text, "cluster_jobs_queued", "behind_others") == 1,
            meanwhile: () => Task.WhenAll(workers.Select(worker => worker.Beat())));

        Assert.Equal((1.0, 0.0), (Value(metrics, "cluster_jobs_queued", "too_few_idle"), Value(metrics, "cluster_jobs_queued", "idle_not_usable")));
        Assert.Equal((0.0, 0.0), (Value(metrics, "cluster_workers", "idle"), Value(metrics, "cluster_workers", "draining")));
        Assert.Equal((1.0, 2.0, 3.0), (Value(metrics, "cluster_jobs_placed"), Value(metrics, "cluster_leases"), Value(metrics, "cluster_jobs_submitted_total")));
        Assert.Equal(1, Value(metrics, "cluster_generations_total", "first"));

        // The second worker falls silent: its lease ends, and with it the generation.
        metrics = await UntilAsync(http, text => Value(text, "cluster_leases_lost_total") == 1 && Value(text, "cluster_recoveries_total") == 1, meanwhile: () => workers[0].Beat());
        Assert.Equal((1.0, 1.0), (Value(metrics, "cluster_leases"), Value(metrics, "cluster_generations_total", "recovery")));
        await client.Grains.GetGrain<IJobGrain>("first").Fail("enough");
        metrics = await UntilAsync(http, text => Value(text, "cluster_jobs_ended_total", "Failed") == 1);

        Assert.Equal([], TelemetryGuide.Instruments.Where(row => row.Process == "silo").Select(row => PrometheusNames.Of(row.Name, row.Kind, row.Unit)).Except(Names(metrics)));
        Assert.Contains(Names(metrics), name => name.StartsWith("dotnet_", StringComparison.Ordinal));
        Assert.Contains(Names(metrics), name => name.StartsWith("orleans_", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("/health/ready")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync("/health/metrics")).StatusCode);

        static async Task SubmitAsync(IGrainFactory grains, string job, int count) => Assert.Null((await grains.GetGrain<IJobGrain>(job).Submit(Some.Submission(count, count))).Refusal);
    }

    [Fact]
    public async Task The_API_offers_its_metrics_and_says_that_it_has_started()
    {
        var api = new TestApi();
        await api.InitializeAsync();
        try
        {
            await api.PostAsync("jobs", JsonSerializer.Serialize(new { spec = TestApi.Spec }));
            Assert.Equal("Healthy", await api.Http.GetStringAsync("/health/startup"));
            Assert.Equal("Healthy", await api.Http.GetStringAsync("/health/live"));
            api.Cluster.Outage = new TimeoutException("away");
            Assert.Equal("Healthy", await api.Http.GetStringAsync("/health/startup"));
            Assert.Equal(HttpStatusCode.ServiceUnavailable, (await api.Http.GetAsync("/health/ready")).StatusCode);

            var metrics = await UntilAsync(api.Http, text => Names(text).Contains("cluster_api_submissions_total"));
            Assert.Contains("http_server_request_duration_seconds_count", Names(metrics));
        }
        finally
        {
            await api.DisposeAsync();
        }
    }

    /// <summary>Scrapes within 300 ms get the same answer, and what is told may be on its way.</summary>
    private static async Task<string> UntilAsync(HttpClient http, Func<string, bool> isThere, Func<Task>? meanwhile = null)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        string text;
        while (!isThere(text = await http.GetStringAsync(TelemetryExtensions.ScrapePath)))
        {
            Assert.False(deadline.IsCancellationRequested, text);
            if (meanwhile is not null) { await meanwhile(); }
            await Task.Delay(50);
        }

        return text;
    }

    private static HashSet<string> Names(string metrics) => [.. SampleNames().Matches(metrics).Select(match => match.Groups[1].Value)];

    /// <summary>-1 where there is none.</summary>
    private static double Value(string metrics, string name, string label = "") => metrics.Split('\n')
        .Where(line => line.StartsWith($"{name}{{", StringComparison.Ordinal) && (label.Length == 0 || line.Contains($"\"{label}\"", StringComparison.Ordinal)))
        .Select(line => double.Parse(line[(line.LastIndexOf('}') + 2)..].Split(' ')[0], CultureInfo.InvariantCulture)).SingleOrDefault(-1);

    [GeneratedRegex(@"^([a-z_]\w*)[{ ]", RegexOptions.Multiline)]
    private static partial Regex SampleNames();
}
