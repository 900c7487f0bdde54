using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Cluster.Tests.Deployment;

/// <summary>All rules for an installation, as functions from its manifests to what is wrong with them.</summary>
internal static class ManifestChecks
{
    public static readonly IReadOnlyDictionary<string, Func<Installation, IEnumerable<string>>> All = new Dictionary<string, Func<Installation, IEnumerable<string>>>
    {
        ["restricted"] = PodChecks.Restricted,
        ["resources"] = PodChecks.Resources,
        ["images"] = PodChecks.Images,
        ["time to end"] = PodChecks.TimeToEnd,
        ["names"] = ReferenceChecks.Names,
        ["mounts"] = ReferenceChecks.Mounts,
        ["queues"] = ReferenceChecks.Queues,
        ["selectors"] = SelectorChecks.Owners,
        ["budgets"] = SelectorChecks.Budgets,
        ["services"] = SelectorChecks.Services,
        ["doors"] = SelectorChecks.Doors,
        ["who speaks to whom"] = NetworkChecks.Reach,
        ["narrow policies"] = NetworkChecks.Narrow,
        ["shut by default"] = NetworkChecks.Shut,
        ["doors from outside"] = NetworkChecks.Outside,
        ["settings of silos"] = SettingChecks.Silos,
        ["settings of trainers"] = SettingChecks.Trainers,
        ["settings of the API"] = SettingChecks.Api,
        ["variables"] = SettingChecks.Variables,
        ["probes"] = ProbeChecks.Probes,
    };

    /// <summary>Of the whole installation. What cannot be read is not checked further.</summary>
    public static IReadOnlyList<string> Problems(string yaml)
    {
        string[] ofFields = [.. Fields(yaml)];
        if (ofFields is not []) { return ofFields; }
        var installation = new Installation(yaml);
        return [.. All.SelectMany(check => check.Value(installation).Select(problem => $"{check.Key}: {problem}"))];
    }

    /// <summary>Fields that there are not, that are missing or of a wrong type, and words that a field does not take.</summary>
    public static IEnumerable<string> Fields(string yaml)
    {
        try
        {
            Manifests.Parse(yaml); // Types, and keys that stand there twice.
        }
        catch (Exception e) when (e is YamlException or KeyNotFoundException or InvalidOperationException or ArgumentException or InvalidCastException or FormatException)
        {
            return [$"cannot be read: {e.GetBaseException().Message}"];
        }

        return Nodes(yaml).SelectMany(Schemas.Problems);
    }

    public static IEnumerable<YamlMappingNode> Nodes(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        return stream.Documents.Select(document => document.RootNode).OfType<YamlMappingNode>();
    }
}
