using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using k8s.Models;

namespace Cluster.Tests.Deployment;

/// <summary>What every pod must have, whatever runs in it.</summary>
public sealed partial class WorkloadTests
{
    private const string Gpu = "nvidia.com/gpu";

    [SkippableTheory, MemberData(nameof(Overlays.FilesAndRendered), MemberType = typeof(Overlays))]
    public void Pods_keep_to_the_restricted_standard_and_get_no_token(string overlay, bool isRendered) =>
        Assert.All(Workload.Of(Overlays.Documents(overlay, isRendered)), workload =>
        {
            var (pod, container) = (workload.Pod, workload.Container);
            Assert.Equal((false, false), (pod.AutomountServiceAccountToken, pod.EnableServiceLinks));
            Assert.Equal((true, "RuntimeDefault"), (pod.SecurityContext.RunAsNonRoot, pod.SecurityContext.SeccompProfile.Type));
            Assert.True(pod.SecurityContext.RunAsUser > 0 && pod.SecurityContext.RunAsGroup > 0);
            Assert.True(pod.HostNetwork is null && pod.HostPID is null && pod.HostIPC is null);
            Assert.Equal((false, true), (container.SecurityContext.AllowPrivilegeEscalation, container.SecurityContext.ReadOnlyRootFilesystem));
            Assert.Equal(["ALL"], container.SecurityContext.Capabilities.Drop);
            Assert.Null(container.SecurityContext.Capabilities.Add);
        });

    [SkippableTheory, MemberData(nameof(Overlays.FilesAndRendered), MemberType = typeof(Overlays))]
    public void Resources_are_asked_for_and_bounded(string overlay, bool isRendered) =>
        Assert.All(Workload.Of(Overlays.Documents(overlay, isRendered)), workload =>
        {
            var (requests, limits) = (workload.Container.Resources.Requests, workload.Container.Resources.Limits);
            Assert.True(requests.ContainsKey("cpu"));
            Assert.True(requests["memory"].ToDecimal() <= limits["memory"].ToDecimal());
            var gpus = Gpus(requests);
            Assert.Equal(gpus, Gpus(limits));
            if (gpus > 0 && !workload.IsJob) // Kueue gives the pods of Jobs what their flavor needs.
            {
                Assert.Contains(workload.Pod.Tolerations, t => (t.Key, t.OperatorProperty, t.Effect) == (Gpu, "Exists", "NoSchedule"));
            }
        });

    [SkippableTheory, MemberData(nameof(Overlays.FilesAndRendered), MemberType = typeof(Overlays))]
    public void Images_are_pinned_and_ours_are_those_that_the_build_makes(string overlay, bool isRendered)
    {
        var tag = XDocument.Load(Path.Combine(Manifests.Root, "build", "Image.targets")).Descendants("ContainerImageTag").Single().Value;
        var ours = Directory.GetFiles(Path.Combine(Manifests.Root, "src"), "*.csproj", SearchOption.AllDirectories)
            .SelectMany(project => XDocument.Load(project).Descendants("ContainerRepository")).Select(e => e.Value).ToList();
        foreach (var dockerfile in Directory.GetFiles(Path.Combine(Manifests.Root, "deploy", "images"), "*.Dockerfile"))
        {
            ours.Add(DockerTag().Match(File.ReadAllText(dockerfile)).Groups[1].Value);
        }

        Assert.Equal(["cluster-dashboard", "cluster-silo", "cluster-trainer", "cluster-trainer-cuda"], ours.Order(StringComparer.Ordinal));
        Assert.All(Workload.Of(Overlays.Documents(overlay, isRendered)), workload =>
        {
            var (name, version) = (workload.Container.Image.Split(':')[0], workload.Container.Image.Split(':')[^1]);
            Assert.Matches(@"^\d+\.\d+\.\d+", version);
            if (name.Split('/')[^1].StartsWith("cluster-", StringComparison.Ordinal))
            {
                Assert.Contains(name.Split('/')[^1], ours);
                Assert.Equal(tag, version);
            }
        });
    }

    [SkippableTheory, MemberData(nameof(Overlays.FilesAndRendered), MemberType = typeof(Overlays))]
    public void Processes_have_time_to_end(string overlay, bool isRendered) =>
        Assert.All(Workload.Of(Overlays.Documents(overlay, isRendered)), workload =>
        {
            var grace = workload.Pod.TerminationGracePeriodSeconds ?? 30;
            var leave = workload.Container.Env?.FirstOrDefault(e => e.Name == "Cluster__LeaveSeconds")?.Value;
            Assert.Equal(workload.Component == "trainer", leave is not null);
            var needed = workload.Component switch
            {
                "trainer" => int.Parse(leave!, CultureInfo.InvariantCulture),
                "dashboard" => 30, // HostOptions.ShutdownTimeout by default.
                _ => 5, // As ClusterSilo sets it.
            };
            Assert.True(grace > needed, $"{workload.Title}: {grace} s, and it may need {needed} s");
        });

    [SkippableTheory, MemberData(nameof(Overlays.FilesAndRendered), MemberType = typeof(Overlays))]
    public void Words_that_Kubernetes_takes_as_text_are_among_those_that_it_knows(string overlay, bool isRendered)
    {
        var documents = Overlays.Documents(overlay, isRendered);
        Assert.All(Workload.Of(documents), workload =>
        {
            Assert.Equal("IfNotPresent", workload.Container.ImagePullPolicy);
            Assert.True(workload.Pod.RestartPolicy is null || (workload.IsJob && workload.Pod.RestartPolicy == "Never"));
            Assert.All(workload.Container.Ports ?? [], port => Assert.Contains(port.Protocol ?? "TCP", (string[])["TCP", "UDP"]));
            Assert.All(workload.Pod.TopologySpreadConstraints ?? [], spread => Assert.Equal("ScheduleAnyway", spread.WhenUnsatisfiable));
        });
        Assert.All(documents.OfType<V1Deployment>(), d => Assert.Contains(d.Spec.Strategy?.Type ?? "RollingUpdate", (string[])["RollingUpdate", "Recreate"]));
        Assert.All(documents.OfType<V1PersistentVolumeClaim>(), c => Assert.Contains(Assert.Single(c.Spec.AccessModes), (string[])["ReadWriteMany", "ReadWriteOnce"]));
        Assert.All(documents.OfType<V1Ingress>().SelectMany(i => i.Spec.Rules).SelectMany(r => r.Http.Paths), path => Assert.Equal("Prefix", path.PathType));
        Assert.All(documents.OfType<V1Namespace>(), n => Assert.Equal("restricted", n.Metadata.Labels["pod-security.kubernetes.io/enforce"]));
    }

    private static decimal Gpus(IDictionary<string, ResourceQuantity> amounts) => amounts.Where(pair => pair.Key == Gpu).Sum(pair => pair.Value.ToDecimal());

    [GeneratedRegex(@"-t ([a-z-]+):\d+\.\d+\.\d+")]
    private static partial Regex DockerTag();
}
