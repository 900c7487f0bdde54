using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Cluster.Contracts.Jobs;
using Cluster.Grains.Hosting;
using Cluster.ServiceDefaults;
using Cluster.Tests.Control;
using Cluster.Tests.Telemetry;
using k8s.Models;

namespace Cluster.Tests.Deployment;

/// <summary>Rules and board name metrics that a silo and a client really publish, by the names that they have in Prometheus.</summary>
public sealed partial class MonitoringTests
{
    private static readonly string s_folder = Path.Combine(Manifests.Folder, "components", "monitoring");

    private static IEnumerable<AlertRule> Alerts => Manifests.Load(Path.Combine(s_folder, "rules.yaml")).Cast<PrometheusRule>().SelectMany(r => r.Spec.Groups).SelectMany(g => g.Rules);

    [Fact]
    public async Task Metrics_that_rules_and_board_name_are_published()
    {
        var published = new ConcurrentDictionary<string, bool>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name is "Microsoft.Orleans" or "System.Runtime") { published.TryAdd(PrometheusNames.Of(instrument.Name, instrument.GetType().Name.Contains("Counter`", StringComparison.Ordinal) && !instrument.GetType().Name.Contains("UpDown", StringComparison.Ordinal) ? "counter" : "", instrument.Unit), true); }
            },
        };
        listener.Start();
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(40));
        await using var silo = await ClusterSilo.StartAsync(new(), deadline.Token);
        await using var client = await ClusterConnection.ConnectAsync(ClusterAddress.Of(silo.Gateway), TimeSpan.FromSeconds(20), deadline.Token);
        await client.Grains.GetGrain<IJobGrain>("monitored-1").Submit(Some.Submission(1, 1)); // It is stored.

        // Of our own the table says what there is, and it is held against the code.
        foreach (var (name, kind, unit, _, _) in TelemetryGuide.Instruments)
        {
            foreach (var part in kind == "histogram" ? ["_bucket", "_sum", "_count"] : (string[])[""]) { published.TryAdd(PrometheusNames.Of(name, kind, unit) + part, true); }
        }

        var named = Expressions().SelectMany(expression => MetricNames().Matches(Labels().Replace(Selectors().Replace(expression, ""), ""))).Select(match => match.Value).Distinct().ToList();
        Assert.True(named.Count >= 8);
        Assert.Contains(named, name => name.StartsWith("cluster_", StringComparison.Ordinal));
        Assert.Equal([], named.Except(published.Keys));
    }

    [Fact]
    public void Labels_that_expressions_name_are_attributes_of_the_table_or_come_from_the_collector()
    {
        string[] fromTheCollector = ["k8s_pod_name", "service_name"];
        var named = Expressions().SelectMany(expression => Labels().Matches(expression)).SelectMany(match => match.Groups[1].Value.Split(',', StringSplitOptions.TrimEntries))
            .Concat(Expressions().SelectMany(expression => Selectors().Matches(expression)).SelectMany(match => SelectedLabels().Matches(match.Value)).Select(match => match.Groups[1].Value)).Distinct().ToList();
        Assert.Contains("cluster_phase", named);
        Assert.Equal([], named.Except(TelemetryGuide.Attributes.Select(attribute => attribute.Replace('.', '_'))).Except(fromTheCollector));
    }

    [Fact]
    public void Every_alert_has_a_place_in_the_guide_and_says_how_bad_it_is()
    {
        Assert.NotEmpty(Alerts);
        Assert.All(Alerts, alert =>
        {
            Assert.Contains($"`{alert.Alert}`", Manifests.Guide, StringComparison.Ordinal);
            Assert.Contains(alert.Labels["severity"], (string[])["warning", "critical"]);
            Assert.EndsWith(".", alert.Annotations["summary"], StringComparison.Ordinal);
            Assert.Matches(@"^\d+m$", alert.For);
        });
        Assert.Equal(Alerts.Select(a => a.Alert).Order(StringComparer.Ordinal), AlertNames().Matches(Manifests.Guide).Select(m => m.Groups[1].Value).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Services_that_expressions_name_are_those_that_manifests_give()
    {
        var given = Workload.Of(Manifests.Parse(Manifests.Unpatched("prod"))).SelectMany(w => w.Container.Env ?? []).Where(e => e.Name == "OTEL_SERVICE_NAME").Select(e => e.Value).ToHashSet();
        var named = Expressions().SelectMany(expression => ServiceNames().Matches(expression)).Select(match => match.Groups[1].Value).Distinct().ToList();
        Assert.NotEmpty(named);
        Assert.Subset(given, named.ToHashSet());
    }

    private static IEnumerable<string> Expressions()
    {
        var board = Manifests.Load(Path.Combine(s_folder, "board.yaml")).Cast<V1ConfigMap>().Single().Data["cluster.json"];
        using var json = JsonDocument.Parse(board);
        var panels = json.RootElement.GetProperty("panels").EnumerateArray()
            .SelectMany(panel => panel.GetProperty("targets").EnumerateArray()).Select(target => target.GetProperty("expr").GetString()!).ToList();
        return Alerts.Select(alert => alert.Expr).Concat(panels);
    }

    [GeneratedRegex(@"\b(orleans|dotnet|cluster)_\w+")]
    private static partial Regex MetricNames();

    [GeneratedRegex("service_name=\"([^\"]+)\"")]
    private static partial Regex ServiceNames();

    [GeneratedRegex("`(Cluster[A-Z][A-Za-z]+)`")]
    private static partial Regex AlertNames();

    [GeneratedRegex(@"\b(?:by|ignoring|on) \(([^)]*)\)")]
    private static partial Regex Labels();

    [GeneratedRegex(@"\{[^}]*\}")]
    private static partial Regex Selectors();

    [GeneratedRegex(@"(\w+)(?:=|!=|=~|!~)""")]
    private static partial Regex SelectedLabels();
}
