using System.Globalization;
using k8s.Models;

namespace Cluster.Tests.Deployment;

/// <summary>Who may speak to whom, worked out as Kubernetes does: both ends must allow it, and one policy of each is enough.</summary>
public sealed class NetworkTests
{
    private const int DataPlane = 40123; // Any port: the system chooses.

    [SkippableTheory, MemberData(nameof(Overlays.FilesAndRendered), MemberType = typeof(Overlays))]
    public void Each_part_reaches_what_it_needs_and_nothing_else(string overlay, bool isRendered)
    {
        var documents = Overlays.Documents(overlay, isRendered);
        var policies = documents.OfType<V1NetworkPolicy>().ToList();
        var hasCollector = documents.OfType<V1Deployment>().Any(d => d.Metadata.Name == "cluster-collector");
        string[] parts = hasCollector ? ["silo", "trainer", "dashboard", "redis", "collector"] : ["silo", "trainer", "dashboard", "redis"];
        HashSet<(string From, string To, int Port)> wanted =
        [
            ("silo", "silo", 11111), ("trainer", "silo", 30000), ("dashboard", "silo", 30000), ("trainer", "trainer", DataPlane),
            ("trainer", "trainer", 11111), ("trainer", "trainer", 30000), ("trainer", "trainer", 6379), ("trainer", "trainer", 4317), ("trainer", "trainer", 8080),
            ("silo", "redis", 6379), ("trainer", "redis", 6379), ("dashboard", "redis", 6379),
        ];
        if (hasCollector) { wanted.UnionWith([("silo", "collector", 4317), ("trainer", "collector", 4317), ("dashboard", "collector", 4317)]); }

        var allowed = from start in parts from end in parts from port in (int[])[11111, 30000, 6379, 4317, 8080, DataPlane]
                      where Allows(policies, Labels(start), Labels(end), port) select (start, end, port);
        Assert.Equal(wanted.Order(), allowed.Order());
    }

    [SkippableTheory, MemberData(nameof(Overlays.FilesAndRendered), MemberType = typeof(Overlays))]
    public void Every_pod_is_shut_by_default_and_finds_names(string overlay, bool isRendered)
    {
        var documents = Overlays.Documents(overlay, isRendered);
        var policies = documents.OfType<V1NetworkPolicy>().ToList();
        var shut = Assert.Single(policies, p => p.Metadata.Name == "default-deny");
        Assert.Equal(["Ingress", "Egress"], shut.Spec.PolicyTypes);
        Assert.True(shut.Spec.Ingress is null && shut.Spec.Egress is null);
        Assert.All(Workload.Of(documents), workload =>
        {
            Assert.True(workload.IsTakenBy(shut.Spec.PodSelector));
            Assert.Contains(policies, p => p.Spec.Ingress is not null && workload.IsTakenBy(p.Spec.PodSelector));
            var dns = policies.Where(p => workload.IsTakenBy(p.Spec.PodSelector)).SelectMany(p => p.Spec.Egress ?? []).SelectMany(rule => rule.Ports ?? []).Where(port => port.Port.Value == "53");
            Assert.Equal(["TCP", "UDP"], dns.Select(port => port.Protocol).Order(StringComparer.Ordinal));
        });
        // A policy that takes nobody protects nobody.
        Assert.All(policies, policy => Assert.Contains(Workload.Of(documents), w => w.IsTakenBy(policy.Spec.PodSelector)));
    }

    [Fact]
    public void From_outside_the_namespace_only_the_ingress_controller_and_Prometheus_come_in()
    {
        var doors = from policy in Manifests.Unpatched("prod").OfType<V1NetworkPolicy>()
                    from rule in policy.Spec.Ingress ?? [] from peer in rule.FromProperty
                    where peer.NamespaceSelector is not null
                    select $"{peer.NamespaceSelector.MatchLabels.Single().Value} -> {policy.Spec.PodSelector.MatchLabels["app.kubernetes.io/component"]} {rule.Ports.Single().Port.Value}";
        Assert.Equal(["ingress-nginx -> dashboard 8080", "monitoring -> collector 8889"], doors.Order(StringComparer.Ordinal));
    }

    private static Dictionary<string, string> Labels(string component) => new() { ["app.kubernetes.io/part-of"] = "cluster", ["app.kubernetes.io/component"] = component };

    private static bool Allows(List<V1NetworkPolicy> policies, Dictionary<string, string> start, Dictionary<string, string> end, int port) =>
        policies.Any(p => Workload.Matches(p.Spec.PodSelector, start) && (p.Spec.Egress ?? []).Any(rule => IsPeer(rule.To, end) && IsPort(rule.Ports, port)))
        && policies.Any(p => Workload.Matches(p.Spec.PodSelector, end) && (p.Spec.Ingress ?? []).Any(rule => IsPeer(rule.FromProperty, start) && IsPort(rule.Ports, port)));

    private static bool IsPeer(IList<V1NetworkPolicyPeer>? peers, Dictionary<string, string> labels) =>
        peers is null || peers.Any(peer => peer.NamespaceSelector is null && peer.IpBlock is null && Workload.Matches(peer.PodSelector, labels));

    private static bool IsPort(IList<V1NetworkPolicyPort>? ports, int port) =>
        ports is null || ports.Any(p => p.Protocol == "TCP" && p.Port.Value == port.ToString(CultureInfo.InvariantCulture));
}
