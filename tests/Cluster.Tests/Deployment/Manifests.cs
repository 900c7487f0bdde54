using System.Diagnostics;
using k8s;
using k8s.Models;

namespace Cluster.Tests.Deployment;

/// <summary>The documents of <c>deploy/k8s</c>, read strictly into Kubernetes' own types.</summary>
internal static class Manifests
{
    public static readonly string Root = FindRoot();

    public static readonly string Folder = Path.Combine(Root, "deploy", "k8s");

    public static string Guide => File.ReadAllText(Path.Combine(Root, "docs", "guides", "kubernetes.md"));

    /// <summary>Every file that is not a kustomization.</summary>
    public static IEnumerable<string> Files =>
        Directory.EnumerateFiles(Folder, "*.yaml", SearchOption.AllDirectories).Where(file => Path.GetFileName(file) != Kustomization.FileName).Order(StringComparer.Ordinal);

    public static IEnumerable<string> Folders =>
        Directory.EnumerateFiles(Folder, Kustomization.FileName, SearchOption.AllDirectories).Select(file => Path.GetDirectoryName(file)!).Order(StringComparer.Ordinal);

    /// <summary>Unknown fields, duplicate keys, wrong types and unknown kinds throw.</summary>
    public static List<object> Parse(string yaml) => KubernetesYaml.LoadAllFromString(yaml, CustomResources.Types, strict: true);

    public static List<object> Load(string file) => Parse(File.ReadAllText(file));

    /// <summary>The overlay as it stands in the files, without its patches; generated Secrets among them.</summary>
    public static string Unpatched(string overlay)
    {
        var layers = Kustomization.Read(Path.Combine(Folder, "overlays", overlay)).WithAllBeneath().ToList();
        var files = layers.SelectMany(layer => layer.Resources.Where(r => r.EndsWith(".yaml", StringComparison.Ordinal)).Select(r => File.ReadAllText(Path.Combine(layer.Folder, r))));
        var secrets = layers.SelectMany(layer => layer.SecretGenerator).Select(secret =>
            $"apiVersion: v1\nkind: Secret\nmetadata: {{name: {secret.Name}, namespace: {secret.Namespace}}}\nstringData:\n{string.Join('\n', secret.Literals.Select(literal => literal.Split('=', 2)).Select(pair => $"  {pair[0]}: \"{pair[1]}\""))}\n");
        return string.Join("\n---\n", files.Concat(secrets));
    }

    /// <summary>Null where there is none: overlays are then checked file by file alone.</summary>
    public static string? Kubectl { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, "kubectl")).FirstOrDefault(File.Exists);

    /// <summary>The overlay as kustomize puts it together.</summary>
    public static string Rendered(string overlay)
    {
        var start = new ProcessStartInfo(Kubectl!, ["kustomize", Path.Combine(Folder, "overlays", overlay)]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var problems = process.StandardError.ReadToEndAsync();
        var yaml = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, problems.Result);
        return yaml;
    }

    public static string KindOf(object document) => document is IKubernetesObject known ? known.Kind : ((CustomResource)document).Kind;

    public static V1ObjectMeta MetadataOf(object document) => document is IMetadata<V1ObjectMeta> known ? known.Metadata : ((CustomResource)document).Metadata;

    public static string Title(object document) => $"{KindOf(document)} {MetadataOf(document).Name}";

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Cluster.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException($"no Cluster.sln above {AppContext.BaseDirectory}");
        }

        return folder.FullName;
    }
}
