using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using k8s.Models;

namespace Cluster.Tests.Deployment;

/// <summary>What every pod must have, whatever runs in it.</summary>
internal static partial class PodChecks
{
    private const string Gpu = "nvidia.com/gpu";

    /// <summary>Repositories and tag that the build gives our images.</summary>
    public static (string[] Names, string Tag) Built { get; } = ReadBuilt();

    /// <summary>Kubernetes' restricted Pod Security Standard; and no token of its API.</summary>
    public static IEnumerable<string> Restricted(Installation installation)
    {
        foreach (var space in installation.All<V1Namespace>().Where(n => n.Metadata.Labels?.TryGetValue("pod-security.kubernetes.io/enforce", out var level) != true || level != "restricted"))
        {
            yield return $"{Manifests.Title(space)} does not enforce the restricted standard";
        }

        foreach (var (pod, container, title) in installation.Workloads.Select(w => (w.Pod, w.Container, w.Title)))
        {
            if (pod.AutomountServiceAccountToken != false || pod.EnableServiceLinks != false) { yield return $"{title} gets a token or links"; }
            if (pod.SecurityContext is not { RunAsNonRoot: true, RunAsUser: > 0, RunAsGroup: > 0, SeccompProfile.Type: "RuntimeDefault" }) { yield return $"{title}: the pod's securityContext is not restricted"; }
            if (pod.HostNetwork is not null || pod.HostPID is not null || pod.HostIPC is not null) { yield return $"{title} has namespaces of the host"; }
            if (container.SecurityContext is not { AllowPrivilegeEscalation: false, ReadOnlyRootFilesystem: true, Privileged: null, Capabilities: { Add: null, Drop: ["ALL"] } })
            {
                yield return $"{title}: the container's securityContext is not restricted";
            }

            if (container.ImagePullPolicy != "IfNotPresent") { yield return $"{title} pulls its image {container.ImagePullPolicy}"; }
        }
    }

    public static IEnumerable<string> Resources(Installation installation)
    {
        foreach (var workload in installation.Workloads)
        {
            var requests = workload.Container.Resources?.Requests ?? new Dictionary<string, ResourceQuantity>();
            var limits = workload.Container.Resources?.Limits ?? new Dictionary<string, ResourceQuantity>();
            if (!requests.ContainsKey("cpu") || !requests.ContainsKey("memory") || !limits.ContainsKey("memory")) { yield return $"{workload.Title} does not ask for cpu and memory, or has no bound of memory"; }
            foreach (var (name, amount) in requests.Where(r => limits.TryGetValue(r.Key, out var limit) && r.Value.ToDecimal() > limit.ToDecimal())) { yield return $"{workload.Title} asks for {name}: {amount}, above its limit"; }
            var gpus = Gpus(requests);
            if (gpus != Gpus(limits)) { yield return $"{workload.Title} asks for {gpus} GPUs, and its limit is {Gpus(limits)}"; }
            // Kueue gives the pods of Jobs what their flavor needs.
            if (gpus > 0 && !workload.IsJob && !(workload.Pod.Tolerations ?? []).Any(t => (t.Key, t.OperatorProperty, t.Effect) == (Gpu, "Exists", "NoSchedule"))) { yield return $"{workload.Title} is kept off nodes with GPUs"; }
            if (gpus > 0 && !Name(workload.Container.Image).EndsWith("-cuda", StringComparison.Ordinal)) { yield return $"{workload.Title} has a GPU, and an image without CUDA"; }
        }
    }

    public static IEnumerable<string> Images(Installation installation)
    {
        foreach (var (image, title) in installation.Workloads.Select(w => (w.Container.Image ?? "", w.Title)))
        {
            var tag = image.Contains(':', StringComparison.Ordinal) ? image.Split(':')[^1] : "";
            if (!Version().IsMatch(tag)) { yield return $"{title}: the image {image} is not pinned"; }
            if (!Name(image).StartsWith("cluster-", StringComparison.Ordinal)) { continue; }
            if (!Built.Names.Contains(Name(image))) { yield return $"{title}: the build makes no {image}"; }
            if (tag != Built.Tag) { yield return $"{title}: the build makes version {Built.Tag}, not {image}"; }
        }
    }

    public static IEnumerable<string> TimeToEnd(Installation installation)
    {
        foreach (var workload in installation.Workloads)
        {
            var leave = workload.Container.Env?.FirstOrDefault(e => e.Name == "Cluster__LeaveSeconds")?.Value;
            if (workload.Component == "trainer" != leave is not null) { yield return $"{workload.Title}: Cluster__LeaveSeconds is for trainers, and each needs it"; }
            var needed = workload.Component switch
            {
                "trainer" => int.Parse(leave ?? "60", CultureInfo.InvariantCulture),
                "dashboard" => 30, // HostOptions.ShutdownTimeout by default.
                _ => 5, // As ClusterSilo sets it.
            };
            var grace = workload.Pod.TerminationGracePeriodSeconds ?? 30;
            if (grace <= needed) { yield return $"{workload.Title} is killed after {grace} s, and may need {needed} s to end"; }
        }
    }

    private static decimal Gpus(IDictionary<string, ResourceQuantity> amounts) => amounts.Where(pair => pair.Key == Gpu).Sum(pair => pair.Value.ToDecimal());

    private static string Name(string image) => image.Split(':')[0].Split('/')[^1];

    private static (string[], string) ReadBuilt()
    {
        var tag = XDocument.Load(Path.Combine(Manifests.Root, "build", "Image.targets")).Descendants("ContainerImageTag").Single().Value;
        var projects = Directory.GetFiles(Path.Combine(Manifests.Root, "src"), "*.csproj", SearchOption.AllDirectories)
            .SelectMany(project => XDocument.Load(project).Descendants("ContainerRepository")).Select(e => e.Value);
        var files = Directory.GetFiles(Path.Combine(Manifests.Root, "deploy", "images"), "*.Dockerfile").Select(file => DockerTag().Match(File.ReadAllText(file)).Groups[1].Value);
        return ([.. projects.Concat(files).Order(StringComparer.Ordinal)], tag);
    }

    [GeneratedRegex(@"^\d+\.\d+\.\d+")]
    private static partial Regex Version();

    [GeneratedRegex(@"-t ([a-z-]+):\d+\.\d+\.\d+")]
    private static partial Regex DockerTag();
}
