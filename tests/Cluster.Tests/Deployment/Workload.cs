using k8s.Models;

namespace Cluster.Tests.Deployment;

/// <summary>Something that makes pods.</summary>
/// <param name="Selector">How its owner tells its pods; null where Kubernetes makes that up.</param>
internal sealed record Workload(string Title, V1PodTemplateSpec Template, V1LabelSelector? Selector, bool IsJob, int Replicas, IReadOnlyList<string> ClaimTemplates)
{
    public V1PodSpec Pod => Template.Spec;

    public IDictionary<string, string> Labels => Template.Metadata?.Labels ?? new Dictionary<string, string>();

    public string Component => Labels.TryGetValue("app.kubernetes.io/component", out var name) ? name : "";

    public V1Container Container => Assert.Single(Pod.Containers);

    /// <summary>Null where it has none of that name.</summary>
    public int? PortNamed(string name) => Container.Ports?.FirstOrDefault(port => port.Name == name)?.ContainerPort;

    public static IEnumerable<Workload> Of(IEnumerable<object> documents) => documents.SelectMany(Of);

    private static Workload[] Of(object document) => document switch
    {
        V1Deployment d => [new(Manifests.Title(d), d.Spec.Template, d.Spec.Selector, IsJob: false, d.Spec.Replicas ?? 1, [])],
        V1StatefulSet s => [new(Manifests.Title(s), s.Spec.Template, s.Spec.Selector, IsJob: false, s.Spec.Replicas ?? 1, [.. (s.Spec.VolumeClaimTemplates ?? []).Select(claim => claim.Metadata.Name)])],
        JobSet j => [.. j.Spec.ReplicatedJobs.Select(job => new Workload($"{Manifests.Title(j)}/{job.Name}", job.Template.Spec.Template, Selector: null, IsJob: true, job.Template.Spec.Parallelism ?? 1, []))],
        _ => [],
    };

    /// <summary>An empty selector takes all.</summary>
    public bool IsTakenBy(V1LabelSelector selector) => Matches(selector, Labels);

    public static bool Matches(V1LabelSelector selector, IDictionary<string, string> labels) =>
        (selector.MatchLabels ?? new Dictionary<string, string>()).All(pair => labels.TryGetValue(pair.Key, out var value) && value == pair.Value)
        && (selector.MatchExpressions ?? []).All(e => e.OperatorProperty == "In" ? labels.TryGetValue(e.Key, out var value) && e.Values.Contains(value) : throw new NotSupportedException(e.OperatorProperty));
}
