using System.Collections.Concurrent;

namespace Cluster.Tests.Deployment;

/// <summary>The installations to check, each as the files say it and as kustomize puts it together.</summary>
public static class Overlays
{
    private static readonly string[] s_names = ["dev", "prod", "prod-gpu"];

    private static readonly ConcurrentDictionary<(string, bool), string> s_yaml = new(); // Rendering takes a moment.

    public static TheoryData<string> All
    {
        get
        {
            var data = new TheoryData<string>();
            foreach (var name in s_names) { data.Add(name); }
            return data;
        }
    }

    /// <summary>As YAML. Skips the test where it is to be rendered and there is no kubectl.</summary>
    internal static string Yaml(string overlay, bool isRendered)
    {
        Skip.If(isRendered && Manifests.Kubectl is null, "kubectl is not on the path: the overlays are checked file by file alone");
        return s_yaml.GetOrAdd((overlay, isRendered), _ => isRendered ? Manifests.Rendered(overlay) : Manifests.Unpatched(overlay));
    }
}
