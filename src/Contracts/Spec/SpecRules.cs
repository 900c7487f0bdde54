namespace Cluster.Contracts.Spec;

/// <summary>What a key allows, in words.</summary>
internal static class SpecRules
{
    public static string InWords(SpecKey key) => key switch
    {
        { ItemType: null } => InWords(key.Type, key.Limits, key.IsName),
        { Limits: [] } => ListInWords(key, Plural(key.ItemType)),
        _ => ListInWords(key, $"{Plural(key.ItemType)}, each {Join(key.Limits)}"),
    };

    public static string InWords(Type type, IReadOnlyList<LimitAttribute> limits, bool isName) => type switch
    {
        _ when type == typeof(string) => isName ? NameAttribute.Rule : "text without control characters",
        _ when type == typeof(bool) => "true or false",
        _ when type.IsEnum => $"one of {string.Join(", ", SpecNames.ValuesOf(type).Select(v => v.Name))}",
        _ when type == typeof(double) => $"a number {Join(limits)}".TrimEnd(),
        _ when type == typeof(int) || type == typeof(long) => $"a whole number {(limits is [] ? "of 64 bits" : Join(limits))}",
        _ when type.IsAbstract => $"a mapping with the key kind, one of {string.Join(", ", SpecNames.CasesOf(type).Select(c => c.Name))}",
        _ => $"a mapping with the keys {KeysInWords(type)}",
    };

    public static string KeysInWords(Type record) => string.Join(", ", SpecKey.Of(record).Select(k => k.Name));

    private static string ListInWords(SpecKey key, string items) => $"a list of {(key.NotEmpty ? "at least one of " : "")}{items}";

    private static string Join(IReadOnlyList<LimitAttribute> limits) => string.Join(" and ", limits.Select(l => l.Rule));

    private static string Plural(Type item) => item == typeof(string) ? "texts" : item == typeof(int) ? "whole numbers" : "mappings";
}
