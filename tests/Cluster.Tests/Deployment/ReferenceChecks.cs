using k8s.Models;

namespace Cluster.Tests.Deployment;

/// <summary>What one document says of another is so.</summary>
internal static class ReferenceChecks
{
    /// <summary>Accounts, settings, secrets and volumes that pods name.</summary>
    public static IEnumerable<string> Names(Installation installation)
    {
        foreach (var workload in installation.Workloads)
        {
            if (!installation.Has<V1ServiceAccount>(workload.Pod.ServiceAccountName)) { yield return $"{workload.Title}: there is no account {workload.Pod.ServiceAccountName}"; }
            var maps = (workload.Container.EnvFrom ?? []).Select(from => from.ConfigMapRef?.Name).Concat((workload.Pod.Volumes ?? []).Select(v => v.ConfigMap?.Name)).OfType<string>();
            foreach (var map in maps.Where(map => !installation.Has<V1ConfigMap>(map))) { yield return $"{workload.Title}: there is no ConfigMap {map}"; }
            foreach (var key in (workload.Container.Env ?? []).Select(e => e.ValueFrom?.SecretKeyRef).OfType<V1SecretKeySelector>())
            {
                if (!installation.HasSecret(key.Name)) { yield return $"{workload.Title}: there is no Secret {key.Name}"; }
                foreach (var secret in installation.All<V1Secret>().Where(s => s.Metadata.Name == key.Name && s.Data?.ContainsKey(key.Key) != true && s.StringData?.ContainsKey(key.Key) != true)) { yield return $"{Manifests.Title(secret)} has no {key.Key}"; }
            }

            foreach (var volume in workload.Pod.Volumes ?? [])
            {
                if (volume.PersistentVolumeClaim is { ClaimName: var claim } && !installation.Has<V1PersistentVolumeClaim>(claim)) { yield return $"{workload.Title}: there is no PersistentVolumeClaim {claim}"; }
                if (volume.Secret is { SecretName: var secret } && !installation.HasSecret(secret)) { yield return $"{workload.Title}: there is no Secret {secret}"; }
                if (volume is { PersistentVolumeClaim: null, Secret: null, ConfigMap: null } && volume.EmptyDir?.SizeLimit is null) { yield return $"{workload.Title}: volume {volume.Name} has no bound"; }
            }
        }

        foreach (var name in installation.All<V1Ingress>().SelectMany(i => i.Spec.Tls ?? []).Select(tls => tls.SecretName).Where(name => !installation.HasSecret(name))) { yield return $"Ingress: there is no Secret {name}"; }
    }

    /// <summary>Every volume is mounted, every mount has its volume, and trainers and API see the store under one path.</summary>
    public static IEnumerable<string> Mounts(Installation installation)
    {
        foreach (var workload in installation.Workloads)
        {
            var volumes = (workload.Pod.Volumes ?? []).Select(v => v.Name).Concat(workload.ClaimTemplates).ToHashSet();
            foreach (var name in (workload.Container.VolumeMounts ?? []).Select(m => m.Name).ToHashSet().Except(volumes)) { yield return $"{workload.Title} mounts {name}, which there is not"; }
            foreach (var name in volumes.Except((workload.Container.VolumeMounts ?? []).Select(m => m.Name))) { yield return $"{workload.Title} does not mount {name}"; }
        }

        var stores = installation.Of("trainer").Concat(installation.Of("dashboard")).Select(w => w.Container.VolumeMounts?.FirstOrDefault(m => m.Name == "store")?.MountPath).Distinct().ToArray();
        if (stores is not [not null]) { yield return $"trainers and API see the store under {string.Join(" and ", stores.Select(path => path ?? "no path"))}"; }
    }

    /// <summary>Kueue's chain: gang, local queue, queue, flavor.</summary>
    public static IEnumerable<string> Queues(Installation installation)
    {
        const string label = "kueue.x-k8s.io/queue-name";
        foreach (var queue in installation.All<JobSet>().Select(set => set.Metadata.Labels?.TryGetValue(label, out var name) == true ? name : "").Where(name => !installation.Has<LocalQueue>(name))) { yield return $"there is no LocalQueue '{queue}'"; }
        foreach (var queue in installation.All<LocalQueue>().Select(q => q.Spec.ClusterQueue).Where(name => !installation.Has<ClusterQueue>(name))) { yield return $"there is no ClusterQueue '{queue}'"; }
        foreach (var (group, flavor) in installation.All<ClusterQueue>().SelectMany(q => q.Spec.ResourceGroups).SelectMany(group => group.Flavors.Select(flavor => (group, flavor))))
        {
            if (!installation.Has<ResourceFlavor>(flavor.Name)) { yield return $"there is no ResourceFlavor '{flavor.Name}'"; }
            if (!group.CoveredResources.SequenceEqual(flavor.Resources.Select(r => r.Name))) { yield return $"flavor {flavor.Name} has other resources than its group"; }
        }
    }
}
