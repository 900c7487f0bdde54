using System.Globalization;
using k8s.Models;

namespace Cluster.Tests.Deployment;

/// <summary>Selectors take their own pods and no others; services and doors end at ports that there are.</summary>
internal static class SelectorChecks
{
    public static IEnumerable<string> Owners(Installation installation)
    {
        foreach (var owner in installation.Workloads)
        {
            if (owner.Selector is { } own && !installation.Workloads.Where(w => w.IsTakenBy(own)).SequenceEqual([owner])) { yield return $"{owner.Title}: its selector does not take its own pods alone"; }
            foreach (var _ in (owner.Pod.TopologySpreadConstraints ?? []).Where(spread => !owner.IsTakenBy(spread.LabelSelector))) { yield return $"{owner.Title} spreads other pods than its own"; }
        }
    }

    /// <summary>A budget counts the pods of one workload, not of Jobs, and lets at least one of them go.</summary>
    public static IEnumerable<string> Budgets(Installation installation)
    {
        foreach (var budget in installation.All<V1PodDisruptionBudget>())
        {
            var taken = installation.Workloads.Where(w => budget.Spec.Selector is not null && w.IsTakenBy(budget.Spec.Selector)).ToArray();
            if (taken is not [{ IsJob: false } counted]) { yield return $"{Manifests.Title(budget)} does not count the pods of one workload"; continue; }
            if (budget.Spec.MaxUnavailable is null == budget.Spec.MinAvailable is null) { yield return $"{Manifests.Title(budget)} needs minAvailable or maxUnavailable"; }
            if (budget.Spec.MaxUnavailable?.Value is "0" or "0%") { yield return $"{Manifests.Title(budget)} lets no pod go"; }
            if (budget.Spec.MinAvailable?.Value is { } least && (!int.TryParse(least, CultureInfo.InvariantCulture, out var count) || count >= counted.Replicas)) { yield return $"{Manifests.Title(budget)} keeps {least} of {counted.Replicas} pods: none may go"; }
        }

        foreach (var update in installation.All<V1Deployment>().Where(d => d.Spec.Strategy?.RollingUpdate is { } roll && IsNone(roll.MaxSurge) && IsNone(roll.MaxUnavailable))) { yield return $"{Manifests.Title(update)} can never be updated"; }
        static bool IsNone(IntOrString? count) => count?.Value is "0" or "0%";
    }

    public static IEnumerable<string> Services(Installation installation)
    {
        foreach (var service in installation.All<V1Service>())
        {
            if (installation.Workloads.Where(w => Workload.Matches(new() { MatchLabels = service.Spec.Selector }, w.Labels)).ToArray() is not [var behind]) { yield return $"{Manifests.Title(service)} does not lead to one workload"; continue; }
            foreach (var port in service.Spec.Ports.Where(port => behind.PortNamed(port.TargetPort?.Value ?? "") is null)) { yield return $"{Manifests.Title(service)}: {behind.Title} has no port {port.TargetPort?.Value}"; }
        }

        foreach (var set in installation.All<V1StatefulSet>().Where(set => !installation.Has<V1Service>(set.Spec.ServiceName))) { yield return $"{Manifests.Title(set)}: there is no Service {set.Spec.ServiceName}"; }
    }

    public static IEnumerable<string> Doors(Installation installation)
    {
        var services = installation.All<V1Service>().ToDictionary(s => s.Metadata.Name);
        foreach (var backend in installation.All<V1Ingress>().SelectMany(i => i.Spec.Rules).SelectMany(rule => rule.Http.Paths).Select(path => path.Backend.Service))
        {
            if (!services.TryGetValue(backend?.Name ?? "", out var service) || !service.Spec.Ports.Any(port => port.Name == backend!.Port?.Name)) { yield return $"the Ingress leads to {backend?.Name}:{backend?.Port?.Name}, which there is not"; }
        }

        foreach (var monitor in installation.All<ServiceMonitor>())
        {
            var watched = services.Values.Where(s => Workload.Matches(monitor.Spec.Selector, s.Metadata.Labels)).ToArray();
            if (watched is not [var one] || monitor.Spec.Endpoints.Any(endpoint => !one.Spec.Ports.Any(port => port.Name == endpoint.Port))) { yield return $"{Manifests.Title(monitor)} does not lead to ports of one service"; }
        }
    }
}
