namespace Cluster.Contracts.Spec;

/// <summary>
/// <c>--set key.path=value</c>: changes the tree before it is bound, so an override is checked like the file. The value is YAML
/// on one line (<c>0.5</c>, <c>[64, 32]</c>, <c>{kind: gpt}</c>); <c>null</c> takes the key out.
/// </summary>
internal static class SpecOverrides
{
    public static void Apply(SpecNode.Mapping root, string text, SpecReport report)
    {
        var place = new Place($"--set {(text.All(Quote.Writable) && text.Length <= 200 ? text : Quote.Show(text))}", 0);
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0 || SpecPath.Split(text[..equals]) is not { } path)
        {
            report.Wrong("", place, Quote.Show(text), "key.path=value, for example optimizer.beta1=0.8 or stages[0].batch=512");
            return;
        }

        var problems = report.Count;
        if (SpecParser.Parse(text[(equals + 1)..], place, report) is { } value)
        {
            Place(root, path, value, text[..equals], place, report);
        }
        else if (report.Count == problems)
        {
            report.Wrong(text[..equals], place, "nothing after the equals sign", "a value, or null to take the key out");
        }
    }

    private static void Place(
        SpecNode node, IReadOnlyList<(string? Key, int Index)> path, SpecNode value, string key, Place place, SpecReport report)
    {
        foreach (var part in path.SkipLast(1))
        {
            if (Child(node, part, place) is not { } child)
            {
                report.Wrong(key, place, Mismatch(node, part), "the path of a key");
                return;
            }

            node = child;
        }

        if (!Replace(node, path[^1], value, place))
        {
            report.Wrong(key, place, Mismatch(node, path[^1]), "the path of a key");
        }
    }

    /// <summary>The value under a key, a new mapping when it is not there; or an item that is there.</summary>
    private static SpecNode? Child(SpecNode node, (string? Key, int Index) part, Place place)
    {
        switch (node)
        {
            case SpecNode.Sequence list when part.Key is null && part.Index < list.Items.Count:
                return list.Items[part.Index];
            case SpecNode.Mapping mapping when part.Key is not null:
                if (mapping.Find(part.Key) is not { } child)
                {
                    child = new SpecNode.Mapping(place, []);
                    mapping.Entries.Add(new(part.Key, place, child));
                }

                return child;
            default:
                return null;
        }
    }

    private static bool Replace(SpecNode node, (string? Key, int Index) part, SpecNode value, Place place)
    {
        switch (node)
        {
            case SpecNode.Sequence list when part.Key is null && part.Index < list.Items.Count:
                list.Items[part.Index] = value;
                return true;
            case SpecNode.Mapping mapping when part.Key is not null:
                mapping.Entries.RemoveAll(e => e.Key == part.Key);
                if (value is not SpecNode.Scalar { IsNull: true })
                {
                    mapping.Entries.Add(new(part.Key, place, value));
                }

                return true;
            default:
                return false;
        }
    }

    private static string Mismatch(SpecNode node, (string? Key, int Index) part) => (node, part.Key) switch
    {
        (SpecNode.Sequence list, null) => $"{list.Items.Count} items, none at [{part.Index}]",
        (_, null) => $"{node.InWords} where a list should be",
        (_, { } key) => $"{node.InWords} where a mapping with the key {Quote.Show(key)} should be",
    };
}
