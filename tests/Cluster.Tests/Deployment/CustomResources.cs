using k8s.Models;

namespace Cluster.Tests.Deployment;

/// <summary>
/// The kinds that are not Kubernetes' own, with the fields that our manifests use: another field is one that nobody has looked up.
/// Sources: jobset.x-k8s.io/v1alpha2, kueue.x-k8s.io/v1beta2, monitoring.coreos.com/v1.
/// </summary>
internal static class CustomResources
{
    public static readonly Dictionary<string, Type> Types = new()
    {
        ["jobset.x-k8s.io/v1alpha2/JobSet"] = typeof(JobSet),
        ["kueue.x-k8s.io/v1beta2/ResourceFlavor"] = typeof(ResourceFlavor),
        ["kueue.x-k8s.io/v1beta2/ClusterQueue"] = typeof(ClusterQueue),
        ["kueue.x-k8s.io/v1beta2/LocalQueue"] = typeof(LocalQueue),
        ["monitoring.coreos.com/v1/PrometheusRule"] = typeof(PrometheusRule),
        ["monitoring.coreos.com/v1/ServiceMonitor"] = typeof(ServiceMonitor),
    };
}

internal abstract class CustomResource
{
    public string ApiVersion { get; set; } = "";
    public string Kind { get; set; } = "";
    public V1ObjectMeta Metadata { get; set; } = new();
}

internal sealed class JobSet : CustomResource
{
    public JobSetSpec Spec { get; set; } = new();
}

internal sealed class JobSetSpec
{
    public bool Suspend { get; set; }
    public JobSetFailurePolicy FailurePolicy { get; set; } = new();
    public List<ReplicatedJob> ReplicatedJobs { get; set; } = [];
}

internal sealed class JobSetFailurePolicy
{
    public int MaxRestarts { get; set; }
}

internal sealed class ReplicatedJob
{
    public string Name { get; set; } = "";
    public int Replicas { get; set; }
    public V1JobTemplateSpec Template { get; set; } = new();
}

internal sealed class ResourceFlavor : CustomResource
{
    public ResourceFlavorSpec Spec { get; set; } = new();
}

internal sealed class ResourceFlavorSpec
{
    public Dictionary<string, string> NodeLabels { get; set; } = [];
    public List<V1Toleration> Tolerations { get; set; } = [];
}

internal sealed class ClusterQueue : CustomResource
{
    public ClusterQueueSpec Spec { get; set; } = new();
}

internal sealed class ClusterQueueSpec
{
    public V1LabelSelector NamespaceSelector { get; set; } = new();
    public string QueueingStrategy { get; set; } = "";
    public QueuePreemption Preemption { get; set; } = new();
    public List<ResourceGroup> ResourceGroups { get; set; } = [];
}

internal sealed class QueuePreemption
{
    public string WithinClusterQueue { get; set; } = "";
}

internal sealed class ResourceGroup
{
    public List<string> CoveredResources { get; set; } = [];
    public List<FlavorQuotas> Flavors { get; set; } = [];
}

internal sealed class FlavorQuotas
{
    public string Name { get; set; } = "";
    public List<ResourceQuota> Resources { get; set; } = [];
}

internal sealed class ResourceQuota
{
    public string Name { get; set; } = "";
    public ResourceQuantity NominalQuota { get; set; } = new("0");
}

internal sealed class LocalQueue : CustomResource
{
    public LocalQueueSpec Spec { get; set; } = new();
}

internal sealed class LocalQueueSpec
{
    public string ClusterQueue { get; set; } = "";
}

internal sealed class PrometheusRule : CustomResource
{
    public PrometheusRuleSpec Spec { get; set; } = new();
}

internal sealed class PrometheusRuleSpec
{
    public List<RuleGroup> Groups { get; set; } = [];
}

internal sealed class RuleGroup
{
    public string Name { get; set; } = "";
    public List<AlertRule> Rules { get; set; } = [];
}

internal sealed class AlertRule
{
    public string Alert { get; set; } = "";
    public string Expr { get; set; } = "";
    public string For { get; set; } = "";
    public Dictionary<string, string> Labels { get; set; } = [];
    public Dictionary<string, string> Annotations { get; set; } = [];
}

internal sealed class ServiceMonitor : CustomResource
{
    public ServiceMonitorSpec Spec { get; set; } = new();
}

internal sealed class ServiceMonitorSpec
{
    public V1LabelSelector Selector { get; set; } = new();
    public List<ScrapeEndpoint> Endpoints { get; set; } = [];
}

internal sealed class ScrapeEndpoint
{
    public string Port { get; set; } = "";
    public string Interval { get; set; } = "";
    public bool HonorLabels { get; set; }
}
