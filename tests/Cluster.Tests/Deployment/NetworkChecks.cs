using System.Globalization;
using k8s.Models;

namespace Cluster.Tests.Deployment;

/// <summary>Who may speak to whom, worked out as Kubernetes does: both ends must allow it, and one policy of each is enough.</summary>
internal static class NetworkChecks
{
    /// <summary>Each part reaches what it needs and nothing else.</summary>
    public static IEnumerable<string> Reach(Installation installation)
    {
        var policies = installation.All<V1NetworkPolicy>().ToList();
        var hasCollector = installation.Has<V1Deployment>("cluster-collector");
        string[] parts = hasCollector ? ["silo", "trainer", "dashboard", "redis", "collector"] : ["silo", "trainer", "dashboard", "redis"];
        HashSet<(string From, string To, int Port)> wanted =
        [
            ("silo", "silo", 11111), ("trainer", "silo", 30000), ("dashboard", "silo", 30000), ("trainer", "trainer", 12000),
            ("silo", "redis", 6379), ("trainer", "redis", 6379), ("dashboard", "redis", 6379),
        ];
        if (hasCollector) { wanted.UnionWith([("silo", "collector", 4317), ("trainer", "collector", 4317), ("dashboard", "collector", 4317)]); }

        var allowed = (from start in parts from end in parts from port in (int[])[11111, 30000, 6379, 4317, 8080, 12000]
                       where Allows(policies, Labels(start), Labels(end), port) select (From: start, To: end, Port: port)).ToHashSet();
        return wanted.Except(allowed).Select(way => $"{way.From} cannot reach {way.To} at {way.Port}").Concat(allowed.Except(wanted).Select(way => $"{way.From} reaches {way.To} at {way.Port}"));
    }

    /// <summary>Every rule says who and at which port, also where the other end would not allow more anyway.</summary>
    public static IEnumerable<string> Narrow(Installation installation)
    {
        foreach (var policy in installation.All<V1NetworkPolicy>())
        {
            var rules = (policy.Spec.Ingress ?? []).Select(rule => (Peers: rule.FromProperty, rule.Ports)).Concat((policy.Spec.Egress ?? []).Select(rule => (Peers: rule.To, rule.Ports)));
            foreach (var (peers, ports) in rules)
            {
                if (peers is null or []) { yield return $"{Manifests.Title(policy)} speaks of anybody"; continue; }
                if (ports is null or [] || ports.Any(port => port.Port is null)) { yield return $"{Manifests.Title(policy)} opens all ports"; }
            }
        }
    }

    /// <summary>Nobody speaks to anybody unless a policy says so, every pod finds names, and every policy takes somebody.</summary>
    public static IEnumerable<string> Shut(Installation installation)
    {
        var policies = installation.All<V1NetworkPolicy>().ToList();
        var shut = policies.Where(p => p.Spec.PolicyTypes is ["Ingress", "Egress"] && p.Spec.Ingress is null && p.Spec.Egress is null).ToList();
        foreach (var workload in installation.Workloads)
        {
            var own = policies.Where(p => workload.IsTakenBy(p.Spec.PodSelector)).ToList();
            if (!own.Intersect(shut).Any()) { yield return $"{workload.Title} is open by default"; }
            if (own.All(p => p.Spec.Ingress is null)) { yield return $"nobody may speak to {workload.Title}"; }
            var names = own.SelectMany(p => p.Spec.Egress ?? []).SelectMany(rule => rule.Ports ?? []).Where(port => port.Port?.Value == "53").Select(port => port.Protocol).Order(StringComparer.Ordinal);
            if (!names.SequenceEqual(["TCP", "UDP"])) { yield return $"{workload.Title} finds no names"; }
        }

        foreach (var policy in policies.Where(policy => !installation.Workloads.Any(w => w.IsTakenBy(policy.Spec.PodSelector)))) { yield return $"{Manifests.Title(policy)} takes nobody"; }
    }

    /// <summary>From outside the namespace only the ingress controller and Prometheus come in.</summary>
    public static IEnumerable<string> Outside(Installation installation)
    {
        string[] known = ["ingress-nginx -> dashboard 8080", "monitoring -> collector 8889"];
        var doors = from policy in installation.All<V1NetworkPolicy>()
                    from rule in policy.Spec.Ingress ?? []
                    from peer in rule.FromProperty ?? []
                    where peer.NamespaceSelector is not null || peer.IpBlock is not null
                    select $"{peer.NamespaceSelector?.MatchLabels?.Values.SingleOrDefault() ?? "anybody"} -> {policy.Spec.PodSelector.MatchLabels?["app.kubernetes.io/component"]} {(rule.Ports is [var port] ? port.Port?.Value : "at any port")}";
        var wanted = installation.All<V1Ingress>().Any() ? known : [];
        return doors.Except(known).Select(door => $"there is a way in from outside: {door}").Concat(wanted.Except(doors).Select(door => $"there is no way in: {door}"));
    }

    private static Dictionary<string, string> Labels(string component) => new() { ["app.kubernetes.io/part-of"] = "cluster", ["app.kubernetes.io/component"] = component };

    private static bool Allows(List<V1NetworkPolicy> policies, Dictionary<string, string> start, Dictionary<string, string> end, int port) =>
        policies.Any(p => Workload.Matches(p.Spec.PodSelector, start) && (p.Spec.Egress ?? []).Any(rule => IsPeer(rule.To, end) && IsPort(rule.Ports, port)))
        && policies.Any(p => Workload.Matches(p.Spec.PodSelector, end) && (p.Spec.Ingress ?? []).Any(rule => IsPeer(rule.FromProperty, start) && IsPort(rule.Ports, port)));

    private static bool IsPeer(IList<V1NetworkPolicyPeer>? peers, Dictionary<string, string> labels) =>
        peers is null || peers.Any(peer => peer.NamespaceSelector is null && peer.IpBlock is null && Workload.Matches(peer.PodSelector, labels));

    private static bool IsPort(IList<V1NetworkPolicyPort>? ports, int port) =>
        ports is null || ports.Any(p => (p.Protocol ?? "TCP") == "TCP" && (p.Port is null || p.Port.Value == port.ToString(CultureInfo.InvariantCulture)));
}
