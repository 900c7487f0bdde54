namespace Cluster.Tests.Deployment;

/// <summary>The installations to check, each as the files say it and as kustomize puts it together.</summary>
public static class Overlays
{
    private static readonly string[] s_names = ["dev", "prod", "prod-gpu"];

    public static TheoryData<string> All
    {
        get
        {
            var data = new TheoryData<string>();
            foreach (var name in s_names) { data.Add(name); }
            return data;
        }
    }

    public static TheoryData<string, bool> FilesAndRendered
    {
        get
        {
            var data = new TheoryData<string, bool>();
            foreach (var name in s_names)
            {
                data.Add(name, false);
                data.Add(name, true);
            }

            return data;
        }
    }

    internal static List<object> Documents(string overlay, bool isRendered) => isRendered ? Manifests.Rendered(overlay) : Manifests.Unpatched(overlay);
}
