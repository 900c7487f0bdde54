using System.Diagnostics;
using System.Net;
using Cluster.Client;
using Cluster.Contracts.Api;
using Cluster.Contracts.Jobs;
using Cluster.Tests.Data;
using Cluster.Tests.EndToEnd;
using Cluster.Tests.Storage;
using static Cluster.Tests.Elastic.TestCluster;

namespace Cluster.Tests.Telemetry;

/// <summary>Silo, trainers and dashboard as processes, and one job: what leaves them over OTLP belongs together.</summary>
public sealed class OtlpTests
{
    private static readonly string[] s_services = ["cluster-silo", "cluster-trainer", "cluster-dashboard"];

    [Fact]
    public async Task Traces_metrics_and_logs_of_a_job_leave_every_process_with_the_trace_of_its_submission()
    {
        using var receiver = new OtlpReceiver();
        using var store = new TemporaryFolder();
        var environment = new Dictionary<string, string>
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.Url,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "250",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "100",
            ["OTEL_BLRP_SCHEDULE_DELAY"] = "100",
        };
        var (settings, gateway) = SiloProcess.OnFreePorts();
        var url = new Uri($"http://127.0.0.1:{FreePort.Take()}");
        ServerProcess[] processes =
        [
            new("silo", ["Cluster.Grains.dll", "--Cluster:Store", $"{store.Path}/silo", .. settings], environment),
            new("t1", ["Cluster.Trainer.dll", "--Cluster:Gateway", $"{gateway}", "--Cluster:Id", "t1"], environment),
            new("t2", ["Cluster.Trainer.dll", "--Cluster:Gateway", $"{gateway}", "--Cluster:Id", "t2"], environment),
            new("dashboard", ["Cluster.Dashboard.dll", "--Cluster:Gateway", $"{gateway}", "--Cluster:Urls", $"{url}", "--Cluster:Store", $"{store.Path}/store"], environment),
        ];
        try
        {
            await UntilAsync(() => Task.FromResult(processes[3].HasSaid("The API is ready")), "the dashboard to start");
            using (var probe = new HttpClient(new SocketsHttpHandler { UseProxy = false })) { Assert.Equal("Healthy", await probe.GetStringAsync(new Uri(url, "/health/live"))); }
            using var client = new ClusterClient(url);
            var job = await client.SubmitAsync(new SubmitRequest { Spec = Job }, CancellationToken.None);
            await UntilAsync(async () => (await client.ShowAsync(job, CancellationToken.None)).State.IsFinal, "the job to end");
            Assert.Equal(JobState.Succeeded, (await client.ShowAsync(job, CancellationToken.None)).State);

            await UntilAsync(() => Task.FromResult(receiver.Spans.Any(span => span.Name == "job.submit") && receiver.Spans.Count(span => span.Name == "job.session") == 2), "the sessions' spans");
            var trace = Assert.Single(receiver.Spans, span => span.Name == "job.submit").Trace;
            await UntilAsync(() => Task.FromResult(s_services.All(service => receiver.Logs.Any(line => line.Service == service && line.Trace == trace))), "a log line of the trace from each process");
            await UntilAsync(() => Task.FromResult(TelemetryGuide.Instruments.Where(row => !s_notOfEveryJob.Contains(row.Name)).All(row => receiver.Metrics.ContainsKey(($"cluster-{row.Process}", row.Name)))), "every metric of the table");

            var spans = receiver.Spans.Where(span => span.Trace == trace).ToArray();
            Assert.Equal(TelemetryGuide.Spans.Select(row => ($"cluster-{row.Process}", row.Name)).Order(), spans.Select(span => (span.Service, span.Name)).Where(span => TelemetryGuide.Spans.Any(row => row.Name == span.Name)).Distinct().Order());
            var submit = spans.Single(span => span.Name == "job.submit");
            var request = spans.Single(span => span.Id == submit.Parent);
            Assert.Equal(("cluster-dashboard", "POST /api/v1/jobs"), (request.Service, request.Name));
            Assert.All(spans.Where(span => span.Name is "job.session" or "job.step" or "job"), span => Assert.Equal(submit.Id, span.Parent));
            Assert.Contains(spans, span => span is { Service: "cluster-silo", Name: "IJobGrain/Submit" });

            // Heartbeats come by the hundred, and begin no trace; no more do probes.
            Assert.DoesNotContain(receiver.Spans, span => span.Name.Contains("/health", StringComparison.Ordinal));
            Assert.DoesNotContain(receiver.Spans, span => span.Name.EndsWith("/Heartbeat", StringComparison.Ordinal));
            Assert.Contains(receiver.Logs, line => line.Service == "cluster-trainer" && line.Trace == trace && line.Text.Contains($"takes up {job}", StringComparison.Ordinal));
            Assert.Contains(receiver.Logs, line => line.Service == "cluster-silo" && line.Trace == trace && line.Text.Contains($"Job {job} is Succeeded", StringComparison.Ordinal));
        }
        finally
        {
            foreach (var process in processes.Reverse()) { process.Kill(); }
        }

        async Task UntilAsync(Func<Task<bool>> isSo, string what)
        {
            for (var began = Stopwatch.GetTimestamp(); !await isSo(); await Task.Delay(50))
            {
                Assert.True(Stopwatch.GetElapsedTime(began) < SiloProcess.Deadline, $"waited in vain for {what}\n{string.Join('\n', processes.Select(p => p.Describe()))}\n{Received()}");
            }
        }

        string Received() => string.Join('\n', receiver.Spans.Select(s => $"{s.Service} {s.Name} {s.Trace}").Concat(receiver.Metrics.Keys.Select(m => $"{m}")).Distinct().Concat(receiver.Logs.Select(l => $"{l}")));
    }

    /// <summary>Some are told from the first loss on, or while somebody watches, and those of a GPU where there is one.</summary>
    private static readonly string[] s_notOfEveryJob =
    [
        "cluster.faults", "cluster.recoveries", "cluster.leases.lost", "cluster.api.streams", "cluster.gpu.utilization", "cluster.gpu.memory.usage", "cluster.gpu.memory.limit",
    ];

    private const string Job = """
        name: traced
        method: lamb
        model: {kind: mlp, hidden: [16]}
        data: {kind: digits}
        batch: 128
        leaf: 64
        epochs: 2
        schedule: {lr: 0.01}
        workers: {min: 2}
        """;
}
