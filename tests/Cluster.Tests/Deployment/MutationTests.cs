using YamlDotNet.RepresentationModel;

namespace Cluster.Tests.Deployment;

/// <summary>
/// Whether the rules see anything at all: each mutation of the manifests is a mistake that somebody could make, and the rule that is named
/// must report it.
/// </summary>
public sealed class MutationTests
{
    private const string Silo = "Deployment cluster-silo", Trainer = "Deployment cluster-trainer", Dashboard = "Deployment cluster-dashboard", Gang = "JobSet cluster-gang";
    private const string Pod = "spec.template.spec", Container = "spec.template.spec.containers.0", GangPod = "spec.replicatedJobs.0.template.spec.template.spec";

    /// <summary>The document, the path in it, the new value (YAML; null removes it) and what reports it: a rule, or fields for what is read.</summary>
    public static TheoryData<string, string, string?, string> Mutations => new()
    {
        // Fields.
        { Silo, "spec.selector", null, "Deployment.spec has no selector" },
        { Silo, $"{Container}.name", null, "has no name" },
        { Gang, "spec.replicatedJobs.0.name", null, "has no name" },
        { "ClusterQueue cluster-gpu", "spec.resourceGroups.0.flavors.0.resources.0.nominalQuota", null, "has no nominalQuota" },
        { "PrometheusRule cluster", "spec.groups.0.rules.0.expr", null, "has no expr" },
        { "Ingress cluster-dashboard", "spec.rules.0.http.paths.0.pathType", null, "has no pathType" },
        { Silo, "spec.replica", "3", "cannot be read" },
        { Silo, $"{Container}.livenessProbe.httpget", "{path: /health/live, port: health}", "cannot be read" },
        { Silo, "spec.replicas", "many", "cannot be read" },
        { Silo, "kind", "Deploymint", "cannot be read" },
        { Silo, $"{Container}.imagePullPolicy", "Sometimes", "Always|IfNotPresent|Never" },
        { Silo, "spec.strategy.type", "Rolling", "Recreate|RollingUpdate" },
        { Silo, $"{Pod}.topologySpreadConstraints.0.whenUnsatisfiable", "Ignore", "DoNotSchedule|ScheduleAnyway" },
        { "PersistentVolumeClaim cluster-store", "spec.accessModes.0", "ReadWriteAll", "ReadWriteMany" },
        { "NetworkPolicy silo", "spec.policyTypes.0", "Inward", "Egress|Ingress" },
        { Trainer, $"{Pod}.tolerations.0.effect", "NoScheduling", "NoSchedule" },

        // Selectors and ports.
        { Silo, "spec.selector.matchLabels.app\\.kubernetes\\.io/component", "dashboard", "selectors" },
        { Silo, $"{Pod}.topologySpreadConstraints.0.labelSelector.matchLabels.app\\.kubernetes\\.io/component", "trainer", "selectors" },
        { "Service cluster-dashboard", "spec.selector.app\\.kubernetes\\.io/component", "door", "services" },
        { "Service cluster-dashboard", "spec.ports.0.targetPort", "https", "services" },
        { "Ingress cluster-dashboard", "spec.rules.0.http.paths.0.backend.service.port.name", "web", "doors" },
        { "ServiceMonitor cluster", "spec.endpoints.0.port", "prometheus", "doors" },
        { "StatefulSet cluster-redis", "spec.serviceName", "redis", "services" },
        { Silo, $"{Container}.ports.0.containerPort", "11112", "settings of silos" },
        { Silo, $"{Container}.ports.1.containerPort", "30001", "settings of silos" },
        { Dashboard, $"{Container}.ports.0.containerPort", "8081", "settings of the API" },
        { Trainer, $"{Container}.ports.0.containerPort", "12001", "settings of trainers" },

        // What others name.
        { "ConfigMap cluster-settings", "", null, "names" },
        { "ConfigMap cluster-collector", "", null, "names" },
        { "PersistentVolumeClaim cluster-store", "", null, "names" },
        { "ServiceAccount cluster-trainer", "", null, "names" },
        { Silo, $"{Container}.env.6.valueFrom.secretKeyRef.name", "redis-password", "names" },
        { Dashboard, $"{Pod}.volumes.1.secret.secretName", "tokens", "names" },
        { "Ingress cluster-dashboard", "spec.tls.0.secretName", "tls", "names" },
        { Trainer, $"{Container}.volumeMounts.0.name", "shop", "mounts" },
        { Trainer, $"{Container}.volumeMounts.0.mountPath", "/var/lib/trainer", "mounts" },
        { "ResourceFlavor cluster-gpu", "", null, "queues" },
        { Gang, "metadata.labels.kueue\\.x-k8s\\.io/queue-name", "gangs", "queues" },
        { "LocalQueue trainers", "spec.clusterQueue", "cpu", "queues" },

        // Pods.
        { Silo, $"{Container}.livenessProbe.httpGet.path", "/healthz", "probes" },
        { Dashboard, $"{Container}.readinessProbe.httpGet.path", "/ready", "probes" },
        { Trainer, $"{Container}.readinessProbe.httpGet.port", "http", "probes" },
        { Dashboard, $"{Container}.livenessProbe.httpGet.path", "/health/ready", "probes" },
        { Silo, $"{Container}.readinessProbe", null, "probes" },
        { Silo, $"{Container}.resources.requests.memory", "2Gi", "resources" },
        { Silo, $"{Container}.resources.limits", null, "resources" },
        { Gang, $"{GangPod}.containers.0.resources.requests.nvidia\\.com/gpu", "\"2\"", "resources" },
        { Trainer, $"{Pod}.tolerations", null, "resources" },
        { Trainer, $"{Container}.image", "registry.example.com/cluster-trainer:0.1.0", "resources" },
        { Silo, $"{Container}.image", "registry.example.com/cluster-silo:latest", "images" },
        { Silo, $"{Container}.image", "registry.example.com/cluster-silo", "images" },
        { Silo, $"{Container}.image", "registry.example.com/cluster-control:0.1.0", "images" },
        { Silo, $"{Container}.image", "registry.example.com/cluster-silo:0.0.9", "images" },
        { Trainer, $"{Pod}.terminationGracePeriodSeconds", "60", "time to end" },
        { Dashboard, $"{Pod}.terminationGracePeriodSeconds", null, "time to end" },
        { Silo, $"{Pod}.securityContext", null, "restricted" },
        { Gang, $"{GangPod}.securityContext", null, "restricted" },
        { Silo, $"{Container}.securityContext", null, "restricted" },
        { Silo, $"{Container}.securityContext.privileged", "true", "restricted" },
        { Silo, $"{Container}.securityContext.capabilities.add", "[NET_ADMIN]", "restricted" },
        { Silo, $"{Pod}.automountServiceAccountToken", null, "restricted" },
        { "Namespace cluster", "metadata.labels.pod-security\\.kubernetes\\.io/enforce", "baseline", "restricted" },

        // Updates and evictions.
        { "PodDisruptionBudget cluster-silo", "spec", "{minAvailable: 3, selector: {matchLabels: {app.kubernetes.io/part-of: cluster, app.kubernetes.io/component: silo}}}", "budgets" },
        { "PodDisruptionBudget cluster-silo", "spec.maxUnavailable", "0", "budgets" },
        { "PodDisruptionBudget cluster-trainer", "spec.selector.matchLabels.cluster-trainers", "gang", "budgets" },
        { Silo, "spec.strategy.rollingUpdate.maxSurge", "0", "budgets" },

        // The network.
        { "NetworkPolicy silo", "spec.ingress.0.ports.0.port", "11112", "who speaks to whom" },
        { "NetworkPolicy silo", "spec.ingress.1.ports", null, "narrow policies" },
        { "NetworkPolicy silo", "spec.ingress.1.from", null, "narrow policies" },
        { "NetworkPolicy trainer", "spec.egress.0", null, "who speaks to whom" },
        { "NetworkPolicy trainer", "spec.ingress.0.ports.0.port", "12001", "who speaks to whom" },
        { "NetworkPolicy redis", "", null, "who speaks to whom" },
        { "NetworkPolicy default-deny", "", null, "shut by default" },
        { "NetworkPolicy dns", "spec.egress.0.ports.0", null, "shut by default" },
        { "NetworkPolicy dashboard", "spec.podSelector.matchLabels.app\\.kubernetes\\.io/component", "door", "shut by default" },
        { "NetworkPolicy ingress", "spec.ingress.0.ports.0.port", "8081", "doors from outside" },
        { "NetworkPolicy silo", "spec.ingress.0.from.0", "{namespaceSelector: {}}", "doors from outside" },

        // Settings.
        { Silo, $"{Container}.env.2.value", "cluster-silo.cluster.svc", "settings of silos" },
        { Silo, $"{Container}.env.5.name", "Cluster__Health", "settings of silos" },
        { Trainer, $"{Container}.env.3.value", "127.0.0.1", "settings of trainers" },
        { Trainer, $"{Container}.env.0", null, "variables" },
        { Dashboard, $"{Container}.env.3.value", "/etc/cluster/tokens.json", "settings of the API" },
        { Dashboard, $"{Container}.env.2.value", "perhaps", "settings of the API" },
    };

    [SkippableTheory, MemberData(nameof(Mutations))]
    public void It_is_reported(string document, string path, string? value, string reportedBy)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(Whole));
        Mutate(stream, document, path, value);
        using var mutated = new StringWriter();
        stream.Save(mutated, assignAnchors: false);

        var problems = ManifestChecks.Problems(mutated.ToString());
        Assert.True(problems.Any(problem => problem.Contains(reportedBy, StringComparison.Ordinal)), $"{document}: {path} = {value ?? "nothing"} is not reported by '{reportedBy}', but: {string.Join("; ", problems)}");
    }

    /// <summary>So what the mutations report is their doing, and not that of reading and writing.</summary>
    [SkippableFact]
    public void Without_a_mutation_nothing_is_reported()
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(Whole));
        using var text = new StringWriter();
        stream.Save(text, assignAnchors: false);
        Assert.Equal([], ManifestChecks.Problems(text.ToString()));
    }

    [Fact]
    public void Every_rule_has_a_mutation_that_it_reports() =>
        Assert.Equal([], ManifestChecks.All.Keys.Except(Mutations.Select(row => (string)row[3])));

    /// <summary>Of all installations the one with most in it.</summary>
    private static string Whole => Overlays.Yaml("prod-gpu", isRendered: true);

    /// <param name="path">Keys and indices with dots between; a dot in a key has a backslash before it. Empty for the document itself.</param>
    private static void Mutate(YamlStream stream, string document, string path, string? value)
    {
        var found = stream.Documents.Single(d => d.RootNode is YamlMappingNode root && $"{root["kind"]} {root["metadata"]["name"]}" == document);
        if (path.Length == 0)
        {
            stream.Documents.Remove(found);
            return;
        }

        string[] steps = [.. path.Replace("\\.", "\0", StringComparison.Ordinal).Split('.').Select(step => step.Replace('\0', '.'))];
        var node = steps[..^1].Aggregate(found.RootNode, (at, step) => at is YamlSequenceNode list ? list[int.Parse(step, System.Globalization.CultureInfo.InvariantCulture)] : at[step]);
        var replacement = value is null ? null : Parse(value);
        switch (node)
        {
            case YamlSequenceNode list:
                var index = int.Parse(steps[^1], System.Globalization.CultureInfo.InvariantCulture);
                list.Children.RemoveAt(index);
                if (replacement is not null) { list.Children.Insert(index, replacement); }
                break;
            case YamlMappingNode map:
                Assert.True(map.Children.Remove(steps[^1]) || replacement is not null, $"{document} has no {path}");
                if (replacement is not null) { map.Add(steps[^1], replacement); }
                break;
        }
    }

    private static YamlNode Parse(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        return stream.Documents[0].RootNode;
    }
}
