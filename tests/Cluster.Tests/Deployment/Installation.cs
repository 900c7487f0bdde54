using k8s.Models;

namespace Cluster.Tests.Deployment;

/// <summary>All documents of one installation, read strictly.</summary>
internal sealed class Installation(string yaml)
{
    public IReadOnlyList<object> Documents { get; } = Manifests.Parse(yaml);

    public IReadOnlyList<Workload> Workloads => field ??= [.. Workload.Of(Documents)];

    public IEnumerable<T> All<T>() => Documents.OfType<T>();

    public bool Has<T>(string? name) => Documents.Any(document => document is T && Manifests.MetadataOf(document).Name == name);

    public IEnumerable<Workload> Of(string component) => Workloads.Where(workload => workload.Component == component);

    /// <summary>Secrets that are no business of a repository count as there: the guide says how to make each.</summary>
    public bool HasSecret(string? name) => Has<V1Secret>(name) || OperatorsSecrets.Contains(name);

    public static readonly string[] OperatorsSecrets = ["cluster-redis", "cluster-access", "cluster-dashboard-tls"];
}
