using k8s.Models;

namespace Cluster.Tests.Deployment;

/// <summary>What one document says of another is so.</summary>
public sealed class ReferenceTests
{
    /// <summary>Secrets that are no business of a repository: the guide says how to make each.</summary>
    private static readonly string[] s_operatorsSecrets = ["cluster-redis", "cluster-access", "cluster-dashboard-tls"];

    [Fact]
    public void The_guide_says_how_to_make_the_Secrets_that_are_not_here() =>
        Assert.All(s_operatorsSecrets, name => Assert.Matches($"create secret [a-z]+ {name}", Manifests.Guide));

    [SkippableTheory, MemberData(nameof(Overlays.FilesAndRendered), MemberType = typeof(Overlays))]
    public void Accounts_settings_secrets_and_volumes_that_pods_name_exist(string overlay, bool isRendered)
    {
        var documents = Overlays.Documents(overlay, isRendered);
        Assert.All(Workload.Of(documents), workload =>
        {
            Has<V1ServiceAccount>(workload.Pod.ServiceAccountName);
            foreach (var from in workload.Container.EnvFrom ?? []) { Has<V1ConfigMap>(from.ConfigMapRef.Name); }
            foreach (var key in (workload.Container.Env ?? []).Select(e => e.ValueFrom?.SecretKeyRef).OfType<V1SecretKeySelector>())
            {
                HasSecret(key.Name);
                Assert.All(documents.OfType<V1Secret>().Where(s => s.Metadata.Name == key.Name), secret => Assert.True((secret.Data?.ContainsKey(key.Key) ?? false) || (secret.StringData?.ContainsKey(key.Key) ?? false), $"{key.Name} has no {key.Key}"));
            }

            foreach (var volume in workload.Pod.Volumes ?? [])
            {
                if (volume.PersistentVolumeClaim is { } claim) { Has<V1PersistentVolumeClaim>(claim.ClaimName); }
                else if (volume.ConfigMap is { } map) { Has<V1ConfigMap>(map.Name); }
                else if (volume.Secret is { } secret) { HasSecret(secret.SecretName); }
                else { Assert.True(volume.EmptyDir?.SizeLimit is not null, $"{workload.Title}: volume {volume.Name}"); }
            }

            var volumes = (workload.Pod.Volumes ?? []).Select(v => v.Name).Concat(workload.ClaimTemplates).Order(StringComparer.Ordinal);
            Assert.Equal(volumes, (workload.Container.VolumeMounts ?? []).Select(m => m.Name).Order(StringComparer.Ordinal));
        });

        void Has<T>(string name) => Assert.Contains(documents, document => document is T && Manifests.MetadataOf(document).Name == name);
        void HasSecret(string name) => Assert.True(s_operatorsSecrets.Contains(name) || documents.OfType<V1Secret>().Any(s => s.Metadata.Name == name), $"there is no Secret {name}");
    }

    [SkippableTheory, MemberData(nameof(Overlays.FilesAndRendered), MemberType = typeof(Overlays))]
    public void Selectors_take_their_own_pods_and_no_others(string overlay, bool isRendered)
    {
        var documents = Overlays.Documents(overlay, isRendered);
        var workloads = Workload.Of(documents).ToList();
        Assert.All(workloads.Where(w => w.Selector is not null), owner =>
            Assert.Equal(owner, Assert.Single(workloads, w => w.IsTakenBy(owner.Selector!))));
        Assert.All(documents.OfType<V1PodDisruptionBudget>(), budget =>
            Assert.False(Assert.Single(workloads, w => w.IsTakenBy(budget.Spec.Selector)).IsJob, $"{budget.Metadata.Name}: a budget cannot count the pods of Jobs"));
        Assert.All(workloads.SelectMany(w => (w.Pod.TopologySpreadConstraints ?? []).Select(spread => (w, spread.LabelSelector))), pair => Assert.True(pair.w.IsTakenBy(pair.LabelSelector)));
    }

    [SkippableTheory, MemberData(nameof(Overlays.FilesAndRendered), MemberType = typeof(Overlays))]
    public void Services_end_at_ports_that_containers_have_and_doors_at_ports_of_services(string overlay, bool isRendered)
    {
        var documents = Overlays.Documents(overlay, isRendered);
        var services = documents.OfType<V1Service>().ToList();
        Assert.All(services, service =>
        {
            var behind = Assert.Single(Workload.Of(documents), w => Workload.Matches(new() { MatchLabels = service.Spec.Selector }, w.Labels));
            Assert.All(service.Spec.Ports, port => Assert.Contains(behind.Container.Ports, p => p.Name == port.TargetPort.Value));
        });
        foreach (var backend in documents.OfType<V1Ingress>().SelectMany(i => i.Spec.Rules).SelectMany(rule => rule.Http.Paths).Select(path => path.Backend.Service))
        {
            Assert.Contains(Assert.Single(services, s => s.Metadata.Name == backend.Name).Spec.Ports, port => port.Name == backend.Port.Name);
        }

        Assert.All(documents.OfType<V1StatefulSet>(), set => Assert.Contains(services, s => s.Metadata.Name == set.Spec.ServiceName));
        Assert.All(documents.OfType<ServiceMonitor>(), monitor =>
        {
            var watched = Assert.Single(services, s => Workload.Matches(monitor.Spec.Selector, s.Metadata.Labels));
            Assert.All(monitor.Spec.Endpoints, endpoint => Assert.Contains(watched.Spec.Ports, port => port.Name == endpoint.Port));
        });
        Assert.All(documents.OfType<JobSet>(), set => Assert.Contains(documents.OfType<LocalQueue>(), q => q.Metadata.Name == set.Metadata.Labels["kueue.x-k8s.io/queue-name"]));
        Assert.All(documents.OfType<LocalQueue>(), queue => Assert.Contains(documents.OfType<ClusterQueue>(), q => q.Metadata.Name == queue.Spec.ClusterQueue));
        Assert.All(documents.OfType<ClusterQueue>().SelectMany(q => q.Spec.ResourceGroups), group => Assert.All(group.Flavors, flavor =>
        {
            Assert.Contains(documents.OfType<ResourceFlavor>(), f => f.Metadata.Name == flavor.Name);
            Assert.Equal(group.CoveredResources, flavor.Resources.Select(r => r.Name));
        }));
    }
}
