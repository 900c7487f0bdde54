using System.Globalization;
using System.Net;
using Cluster.Dashboard;
using Cluster.Grains.Hosting;
using Cluster.ServiceDefaults;
using Cluster.Tests.Api;
using Cluster.Trainer.Worker;
using k8s.Models;
using Microsoft.Extensions.Configuration;

namespace Cluster.Tests.Deployment;

/// <summary>The processes' own readers read the environment that the manifests give them: every variable is asked for, and none is refused.</summary>
public sealed class SettingTests
{
    private const string PodAddress = "10.1.2.3";

    [SkippableTheory, MemberData(nameof(Overlays.FilesAndRendered), MemberType = typeof(Overlays))]
    public void A_silo_reads_every_variable_and_listens_where_its_ports_are(string overlay, bool isRendered)
    {
        var silo = One(overlay, isRendered, "silo");
        var environment = Environment(silo, overlay, isRendered);
        var settings = SiloSettings.From(environment.Root);
        HealthExtensions.PortFrom(environment.Root);
        AssertAllAsked(silo, environment);
        Assert.Equal((IPAddress.Parse(PodAddress), "cluster", null), (settings.Address, settings.ClusterId, settings.Store));
        Assert.Equal("cluster-redis:6379", settings.Redis!.ToString());
        Assert.Equal((Port(silo, "silo"), Port(silo, "gateway"), Port(silo, "health")), (settings.SiloPort.Number, settings.GatewayPort.Number, HealthExtensions.PortFrom(environment.Root)));
    }

    [SkippableTheory, MemberData(nameof(Overlays.FilesAndRendered), MemberType = typeof(Overlays))]
    public void Trainers_read_every_variable_and_find_the_silos_in_Redis(string overlay, bool isRendered) =>
        Assert.All(Workload.Of(Overlays.Documents(overlay, isRendered)).Where(w => w.Component == "trainer"), trainer =>
        {
            var environment = Environment(trainer, overlay, isRendered);
            var settings = environment.Root.GetSection("Cluster").Get<TrainerSettings>()!;
            var cluster = ClusterAddress.From(environment.Root);
            Assert.Equal(Port(trainer, "health"), HealthExtensions.PortFrom(environment.Root));
            AssertAllAsked(trainer, environment);
            Assert.Equal(("a-pod", PodAddress), (settings.WorkerId, settings.Address));
            Assert.Equal("cluster-redis:6379", cluster.Redis!.ToString());
            Assert.Empty(cluster.Gateways);
            Assert.True(trainer.Pod.ShareProcessNamespace, "the process id of each life must differ");
        });

    [SkippableTheory, MemberData(nameof(Overlays.FilesAndRendered), MemberType = typeof(Overlays))]
    public void The_API_reads_every_variable_and_writes_where_the_trainers_read(string overlay, bool isRendered)
    {
        var dashboard = One(overlay, isRendered, "dashboard");
        var environment = Environment(dashboard, overlay, isRendered);
        var settings = ApiSettings.From(environment.Root, ClusterAddress.From(environment.Root).ToString());
        AssertAllAsked(dashboard, environment);
        Assert.Equal($"http://0.0.0.0:{Port(dashboard, "http")}", settings.Urls);
        var store = dashboard.Container.VolumeMounts.Single(m => m.Name == "store").MountPath;
        Assert.Equal(store, settings.Store);
        Assert.Equal([$"{store}/data", "/app/data"], settings.DataRoots);
        // Without this file it would not listen where others can connect.
        Assert.Equal($"{dashboard.Container.VolumeMounts.Single(m => m.Name == "access").MountPath}/tokens.json", settings.Tokens);
        Assert.False(dashboard.Pod.Volumes.Single(v => v.Name == "access").Secret.Optional ?? false);
        Assert.All(Workload.Of(Overlays.Documents(overlay, isRendered)).Where(w => w.Component == "trainer"), trainer =>
            Assert.Equal(store, trainer.Container.VolumeMounts.Single(m => m.Name == "store").MountPath));
    }

    [SkippableTheory, MemberData(nameof(Overlays.FilesAndRendered), MemberType = typeof(Overlays))]
    public void Variables_are_put_into_others_only_after_they_are_set(string overlay, bool isRendered) =>
        Assert.All(Workload.Of(Overlays.Documents(overlay, isRendered)), workload =>
        {
            var known = new HashSet<string>();
            foreach (var variable in workload.Container.Env ?? [])
            {
                Assert.All(Named(variable.Value), name => Assert.Contains(name, known));
                Assert.True(known.Add(variable.Name), $"{workload.Title} sets {variable.Name} twice");
            }

            Assert.All(Named(string.Join(' ', workload.Container.Args ?? [])), name => Assert.Contains(name, known));
        });

    [SkippableTheory, MemberData(nameof(Overlays.FilesAndRendered), MemberType = typeof(Overlays))]
    public async Task Probes_ask_at_ports_that_exist_for_what_the_process_answers(string overlay, bool isRendered)
    {
        await using var own = await OwnApi.StartAsync();
        foreach (var workload in Workload.Of(Overlays.Documents(overlay, isRendered)))
        {
            var container = workload.Container;
            Assert.True(container.LivenessProbe is not null && container.ReadinessProbe is not null, workload.Title);
            foreach (var probe in ((V1Probe?[])[container.LivenessProbe, container.ReadinessProbe, container.StartupProbe]).OfType<V1Probe>())
            {
                if ((probe.HttpGet?.Port ?? probe.TcpSocket?.Port) is { } port) { Port(workload, port.Value); }
                if (probe.HttpGet is not { Path: var path }) { continue; }
                switch (workload.Component)
                {
                    case "silo" or "trainer":
                        Assert.Equal(HttpStatusCode.OK, HealthDoor.Answer(path, hasStarted: true, isEnding: false));
                        break;
                    case "dashboard":
                        Assert.Equal(HttpStatusCode.OK, (await own.Api.Http.GetAsync(new Uri(own.Api.Url, path))).StatusCode);
                        break;
                    default:
                        Assert.Equal("collector", workload.Component);
                        break;
                }
            }

            // Whether a process lives is asked of itself alone: with a control plane that is away, a restart would heal nothing.
            Assert.NotEqual("/health/ready", container.LivenessProbe!.HttpGet?.Path);
        }
    }

    private static Workload One(string overlay, bool isRendered, string component) =>
        Assert.Single(Workload.Of(Overlays.Documents(overlay, isRendered)), w => w.Component == component);

    private static int Port(Workload workload, string name) => Assert.Single(workload.Container.Ports, p => p.Name == name).ContainerPort;

    private static IEnumerable<string> Named(string? text) =>
        System.Text.RegularExpressions.Regex.Matches(text ?? "", @"\$\((\w+)\)").Select(match => match.Groups[1].Value);

    /// <summary>As the pod would get it.</summary>
    private static RecordedConfiguration Environment(Workload workload, string overlay, bool isRendered)
    {
        var variables = new Dictionary<string, string>();
        foreach (var map in (workload.Container.EnvFrom ?? []).Select(from => from.ConfigMapRef.Name))
        {
            foreach (var (name, value) in Overlays.Documents(overlay, isRendered).OfType<V1ConfigMap>().Single(m => m.Metadata.Name == map).Data) { variables.Add(name, value); }
        }

        foreach (var variable in workload.Container.Env)
        {
            variables.Add(variable.Name, variable.ValueFrom switch
            {
                null => variables.Aggregate(variable.Value, (text, known) => text.Replace($"$({known.Key})", known.Value, StringComparison.Ordinal)),
                { FieldRef.FieldPath: "metadata.name" } => "a-pod",
                { FieldRef.FieldPath: "status.podIP" } => PodAddress,
                { SecretKeyRef.Key: "connection" } => "cluster-redis:6379,password=hush",
                _ => throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"{workload.Title}: where does {variable.Name} come from?")),
            });
        }

        return new(variables);
    }

    /// <summary>Except those that only fill others, and OpenTelemetry's own.</summary>
    private static void AssertAllAsked(Workload workload, RecordedConfiguration environment) => Assert.All(
        workload.Container.Env.Select(e => e.Name).Concat(["Orleans__ClusterId", "Orleans__ServiceId"]).Where(name => name is not ("POD_NAME" or "POD_IP") && !name.StartsWith("OTEL_", StringComparison.Ordinal)),
        name => Assert.True(environment.WasAskedFor(name), $"{workload.Title} sets {name}, which nothing reads"));
}
