using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace Cluster.Tests.Deployment;

/// <summary>A kustomization.yaml, with the keys that ours use; read strictly.</summary>
internal sealed class Kustomization
{
    public const string FileName = "kustomization.yaml";

    public string ApiVersion { get; set; } = "";
    public string Kind { get; set; } = "";
    public List<string> Resources { get; set; } = [];
    public List<string> Components { get; set; } = [];
    public List<Patch> Patches { get; set; } = [];
    public List<Image> Images { get; set; } = [];
    public List<SecretGenerator> SecretGenerator { get; set; } = [];

    /// <summary>Full path of its folder.</summary>
    [YamlIgnore]
    public string Folder { get; private set; } = "";

    public static Kustomization Read(string folder)
    {
        var reader = new DeserializerBuilder().WithNamingConvention(CamelCaseNamingConvention.Instance).WithDuplicateKeyChecking().Build();
        var read = reader.Deserialize<Kustomization>(File.ReadAllText(Path.Combine(folder, FileName)));
        read.Folder = Path.GetFullPath(folder);
        return read;
    }

    public IEnumerable<string> FilesListed => Resources.Concat(Patches.Select(patch => patch.Path)).Where(path => path.EndsWith(".yaml", StringComparison.Ordinal));

    public IEnumerable<string> FoldersListed => Resources.Concat(Components).Where(path => !path.EndsWith(".yaml", StringComparison.Ordinal));

    /// <summary>This one and all that it builds on, those first.</summary>
    public IEnumerable<Kustomization> WithAllBeneath() =>
        FoldersListed.SelectMany(folder => Read(Path.Combine(Folder, folder)).WithAllBeneath()).Append(this);
}

internal sealed class Patch
{
    public string Path { get; set; } = "";
}

internal sealed class Image
{
    public string Name { get; set; } = "";
    public string NewName { get; set; } = "";
    public string NewTag { get; set; } = "";
}

internal sealed class SecretGenerator
{
    public string Name { get; set; } = "";
    public string Namespace { get; set; } = "";
    public List<string> Literals { get; set; } = [];
    public GeneratorOptions Options { get; set; } = new();
}

internal sealed class GeneratorOptions
{
    public bool DisableNameSuffixHash { get; set; }
}
