using System.Reflection;

namespace Cluster.Contracts.Spec;

/// <summary>
/// A <see cref="SpecNode"/> tree to the records of the spec. Goes on after a problem, so that all of them are found; a value
/// that cannot be read is left at its default (or null, where required) and its key is marked as wrong.
/// </summary>
internal sealed class SpecBinder(SpecReport report)
{
    /// <summary>
    /// The root record, even when something was reported, so that rules between keys can be checked as far as they can be judged.
    /// Its required values may then be null; those of records inside it never are, because a record without them is left out.
    /// </summary>
    public T Record<T>(SpecNode.Mapping node)
        where T : notnull
    {
        report.Given("", node.Place);
        var record = Activator.CreateInstance<T>();
        BindKeys(record, node, path: "", kinds: null);
        return record;
    }

    private object? Bind(SpecNode node, SpecKey key, string path) => key.ItemType is { } item
        ? BindList(node, key, item, path)
        : BindValue(node, key.Type, key.Limits, key.IsName, path);

    private object? BindList(SpecNode node, SpecKey key, Type itemType, string path)
    {
        if (node is not SpecNode.Sequence list || (key.NotEmpty && list.Items.Count == 0))
        {
            report.Wrong(path, node.Place, node is SpecNode.Sequence ? "an empty list" : node.InWords, SpecRules.InWords(key));
            return null;
        }

        var items = Array.CreateInstance(itemType, list.Items.Count);
        var whole = true;
        for (var i = 0; i < items.Length; i++)
        {
            var itemPath = $"{path}[{i}]";
            report.Given(itemPath, list.Items[i].Place);
            var item = BindValue(list.Items[i], itemType, key.Limits, key.IsName, itemPath);
            whole &= item is not null;
            items.SetValue(item, i);
        }

        return whole ? Activator.CreateInstance(key.Type, BindingFlags.Instance | BindingFlags.NonPublic, null, [items], null) : null;
    }

    private object? BindValue(SpecNode node, Type type, IReadOnlyList<LimitAttribute> limits, bool isName, string path)
    {
        if (SpecScalars.IsScalar(type))
        {
            if (node is SpecNode.Scalar scalar && SpecScalars.Read(scalar, type, limits, isName) is { } value)
            {
                return value;
            }

            report.Wrong(path, node.Place, Found(node, type), SpecRules.InWords(type, limits, isName));
            return null;
        }

        if (node is SpecNode.Mapping mapping)
        {
            return type.IsAbstract ? BindCase(mapping, type, path) : BindRecord(mapping, type, path, kinds: null);
        }

        report.Wrong(path, node.Place, node.InWords, SpecRules.InWords(type, limits, isName));
        return null;
    }

    private object? BindCase(SpecNode.Mapping mapping, Type family, string path)
    {
        var cases = SpecNames.CasesOf(family);
        var kinds = string.Join(", ", cases.Select(c => c.Name));
        var kind = mapping.Find(SpecNames.Kind);
        var chosen = kind is SpecNode.Scalar scalar ? cases.FirstOrDefault(c => c.Name == scalar.Text).Case : null;
        if (chosen is null)
        {
            var found = kind switch
            {
                null => "no such key",
                SpecNode.Scalar { IsNull: false } typo => typo.InWords + Meant(typo.Text, cases.Select(c => c.Name)),
                _ => kind.InWords,
            };
            report.Wrong(SpecPath.Join(path, SpecNames.Kind), (kind ?? mapping).Place, found, $"one of {kinds}");
            return null;
        }

        return BindRecord(mapping, chosen, path, kinds);
    }

    /// <param name="kinds">When the record is one case of a family, the kinds there are: its mapping also holds <c>kind</c>.</param>
    private object? BindRecord(SpecNode.Mapping mapping, Type type, string path, string? kinds)
    {
        var record = Activator.CreateInstance(type)!;
        return BindKeys(record, mapping, path, kinds) ? record : null;
    }

    /// <summary>False when a required value is missing or wrong.</summary>
    private bool BindKeys(object record, SpecNode.Mapping mapping, string path, string? kinds)
    {
        var keys = SpecKey.Of(record.GetType());
        var missing = keys.Where(k => k is { Required: true, Uses: [] }).ToHashSet();
        string[] names = [.. kinds is null ? [] : (string[])[SpecNames.Kind], .. keys.Select(k => k.Name)];
        foreach (var entry in mapping.Entries)
        {
            var keyPath = SpecPath.Join(path, entry.Key);
            report.Given(keyPath, entry.Place);
            if (keys.FirstOrDefault(k => k.Name == entry.Key) is { } key)
            {
                if (Bind(entry.Value, key, keyPath) is { } value)
                {
                    key.Property.SetValue(record, value);
                    missing.Remove(key);
                }
            }
            else if (!names.Contains(entry.Key))
            {
                report.Wrong(keyPath, entry.Place, "an unknown key" + Meant(entry.Key, names), $"the keys {string.Join(", ", names)}");
                if (Spelling.Nearest(entry.Key, names) is { } nearest && mapping.Find(nearest) is null)
                {
                    report.Meant(SpecPath.Join(path, nearest));
                }
            }
        }

        foreach (var key in keys)
        {
            Require(record, mapping, key, SpecPath.Join(path, key.Name));
            RefuseUnused(record, key, path);
        }

        return missing.Count == 0;
    }

    private void Require(object record, SpecNode.Mapping mapping, SpecKey key, string path)
    {
        if (key.Required && key.IsUsedIn(record) && mapping.Find(key.Name) is null && !report.IsWrong(path))
        {
            report.Wrong(path, mapping.Place, "no such key", SpecRules.InWords(key));
        }
    }

    /// <summary>A key that its record does not use as it is set (<see cref="IKeyUse"/>) would silently do nothing.</summary>
    private void RefuseUnused(object record, SpecKey key, string path)
    {
        var keyPath = SpecPath.Join(path, key.Name);
        if (!report.IsGiven(keyPath) || key.Uses.FirstOrDefault(condition => !condition.HoldsIn(record)) is not { } unmet)
        {
            return;
        }

        var chooserPath = SpecPath.Join(path, SpecNames.Of(unmet.Chooser));
        if (!report.IsWrong(chooserPath)) // Else nobody knows what was chosen.
        {
            var chosen = SpecNames.Of((Enum)unmet.Chooser.GetValue(record)!);
            report.Broken(keyPath, $"a key that {chooserPath} {chosen} does not use", $"this key with {chooserPath} {string.Join(" or ", unmet.Choices)}", chooserPath);
        }
    }

    private static string Found(SpecNode node, Type type)
    {
        if (node is not SpecNode.Scalar { IsNull: false } scalar)
        {
            return node.InWords;
        }

        if (type.IsEnum)
        {
            return scalar.InWords + Meant(scalar.Text, SpecNames.ValuesOf(type).Select(v => v.Name));
        }

        return type == typeof(double) && SpecScalars.IsNotFinite(scalar) ? $"{scalar.InWords}, which is not finite," : scalar.InWords;
    }

    private static string Meant(string word, IEnumerable<string> candidates) =>
        Spelling.Nearest(word, candidates) is { } nearest ? $" (did you mean {Quote.Show(nearest)}?)" : "";
}
