using System.Text.Json;
using YamlDotNet.RepresentationModel;

namespace Cluster.Tests.Deployment;

/// <summary>
/// Which fields a kind has, which must be there, and which words they take: <c>schemas.json</c>, which <c>eng/kubernetes-schemas.mjs</c> makes
/// for the kinds that we use. Another kind is a problem too: the script must learn it first.
/// </summary>
internal static class Schemas
{
    private static readonly Dictionary<string, Dictionary<string, string>> s_types = Read();

    public static IReadOnlyCollection<string> Kinds => [.. s_types.Where(type => type.Value.GetValueOrDefault("kind")?.EndsWith("|!", StringComparison.Ordinal) == true).Select(type => type.Key)];

    public static IEnumerable<string> Problems(YamlMappingNode document)
    {
        var kind = $"{Text(document, "apiVersion")}/{Text(document, "kind")}";
        return s_types.ContainsKey(kind) ? Problems(document, kind, Text(document, "kind")) : [$"{kind} is a kind that schemas.json does not have: see eng/kubernetes-schemas.mjs"];
    }

    private static IEnumerable<string> Problems(YamlNode node, string type, string path)
    {
        if (type.Length == 0) { return []; }
        return type[0] switch
        {
            '[' => node is YamlSequenceNode list ? list.Children.SelectMany((child, i) => Problems(child, type[1..^1], $"{path}[{i}]")) : [$"{path} is no list"],
            '{' => node is YamlMappingNode map ? map.Children.SelectMany(pair => Problems(pair.Value, type[1..^1], $"{path}.{pair.Key}")) : [$"{path} is no map"],
            _ when type.Contains('|', StringComparison.Ordinal) => node is YamlScalarNode { Value: var word } && type.Split('|').Contains(word) ? [] : [$"{path} is '{node}', and {type.Trim('|')} is needed"],
            _ => node is YamlMappingNode fields ? OfFields(fields, s_types[type], path) : [$"{path} is no map"],
        };
    }

    private static IEnumerable<string> OfFields(YamlMappingNode node, Dictionary<string, string> fields, string path)
    {
        foreach (var name in fields.Where(field => field.Value.EndsWith('!')).Select(field => field.Key).Where(name => !node.Children.ContainsKey(name)))
        {
            yield return $"{path} has no {name}";
        }

        foreach (var (key, value) in node.Children)
        {
            var name = ((YamlScalarNode)key).Value!;
            if (!fields.TryGetValue(name, out var type)) { yield return $"{path} has a field {name}, which there is not"; }
            else
            {
                foreach (var problem in Problems(value, type.TrimEnd('!'), $"{path}.{name}")) { yield return problem; }
            }
        }
    }

    private static string Text(YamlMappingNode node, string key) => node.Children.TryGetValue(key, out var value) ? $"{value}" : "";

    private static Dictionary<string, Dictionary<string, string>> Read()
    {
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(Manifests.Root, "tests", "Cluster.Tests", "Deployment", "schemas.json")));
        return json.RootElement.GetProperty("types").Deserialize<Dictionary<string, Dictionary<string, string>>>()!;
    }
}
