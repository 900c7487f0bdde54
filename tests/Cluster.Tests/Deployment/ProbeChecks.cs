using System.Net;
using Cluster.Dashboard;
using Cluster.Dashboard.Api;
using Cluster.ServiceDefaults;
using k8s.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Cluster.Tests.Deployment;

/// <summary>Probes ask at ports that exist for what the process answers.</summary>
internal static class ProbeChecks
{
    private static readonly Lazy<HashSet<string>> s_mapped = new(Mapped);

    /// <summary>What the API answers to GET.</summary>
    public static IReadOnlySet<string> ApiPaths => s_mapped.Value;

    public static IEnumerable<string> Probes(Installation installation)
    {
        foreach (var workload in installation.Workloads)
        {
            var container = workload.Container;
            if (container.LivenessProbe is null || container.ReadinessProbe is null) { yield return $"{workload.Title} has no liveness or no readiness probe"; }
            foreach (var probe in ((V1Probe?[])[container.LivenessProbe, container.ReadinessProbe, container.StartupProbe]).OfType<V1Probe>())
            {
                if ((probe.HttpGet?.Port ?? probe.TcpSocket?.Port) is { } port && workload.PortNamed(port.Value) is null) { yield return $"{workload.Title} is probed at port {port.Value}, which it does not have"; }
                if (probe.HttpGet is { Path: var path } && !Answers(workload.Component, path)) { yield return $"{workload.Title} is probed for {path}, which it does not answer"; }
            }

            // Whether a process lives is asked of itself alone: with a control plane that is away, a restart would heal nothing.
            if (container.LivenessProbe?.HttpGet?.Path == "/health/ready") { yield return $"{workload.Title} would be restarted when another part is away"; }
        }
    }

    private static bool Answers(string component, string? path) => component switch
    {
        "silo" or "trainer" => HealthDoor.Answer(path, hasStarted: true, isEnding: false) == HttpStatusCode.OK,
        "dashboard" => ApiPaths.Contains(path ?? ""),
        "collector" => path == "/", // Its extension health_check.
        _ => false,
    };

    private static HashSet<string> Mapped()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddClusterApi(new ApiSettings { Gateway = "127.0.0.1:30000", Store = Path.GetTempPath() });
        var app = builder.Build();
        app.MapClusterApi();
        return [.. ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>().Select(endpoint => $"/{endpoint.RoutePattern.RawText!.TrimStart('/')}")];
    }
}
