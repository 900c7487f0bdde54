using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Cluster.Contracts.Spec;

/// <summary>
/// One key of a spec record, as reflection sees it. The reader, the writer, the hash and the JSON Schema all work from these,
/// so a key is declared once: as a property with its limits.
/// </summary>
internal sealed class SpecKey
{
    private static readonly ConcurrentDictionary<Type, IReadOnlyList<SpecKey>> Known = [];

    private SpecKey(PropertyInfo property)
    {
        Property = property;
        Name = SpecNames.Of(property);
        Type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        ItemType = Type.IsGenericType && Type.GetGenericTypeDefinition() == typeof(ValueList<>) ? Type.GenericTypeArguments[0] : null;
        Limits = [.. property.GetCustomAttributes<LimitAttribute>().OrderBy(l => l is AtMostAttribute or BelowAttribute)];
        Uses = [.. property.GetCustomAttributes().OfType<IKeyUse>().Select(use => new KeyCondition(property.DeclaringType!.GetProperty(use.Property)!, use))];
    }

    public PropertyInfo Property { get; }

    /// <summary>As written in YAML.</summary>
    public string Name { get; }

    /// <summary>Of the value; for <c>int?</c> this is <c>int</c>.</summary>
    public Type Type { get; }

    /// <summary>Of a list's items; null when the value is no list.</summary>
    public Type? ItemType { get; }

    /// <summary>On the number, or on each number of a list.</summary>
    public IReadOnlyList<LimitAttribute> Limits { get; }

    /// <summary>What must hold for the key to be used; nothing for most.</summary>
    public IReadOnlyList<KeyCondition> Uses { get; }

    /// <summary>It must be given wherever it is used.</summary>
    public bool Required => Property.IsDefined(typeof(RequiredMemberAttribute)) || Uses.Any(condition => condition.Use is OnlyWithAttribute { IsRequired: true });

    public bool NotEmpty => Property.IsDefined(typeof(NotEmptyAttribute));

    public bool IsName => Property.IsDefined(typeof(NameAttribute));

    public bool OutsideAnswer => Property.IsDefined(typeof(OutsideAnswerAttribute));

    /// <summary>Whether the record reads this key, as its other keys are set.</summary>
    public bool IsUsedIn(object record) => Uses.All(condition => condition.HoldsIn(record));

    /// <summary>The keys of a record in the order of its declaration.</summary>
    public static IReadOnlyList<SpecKey> Of(Type record) => Known.GetOrAdd(record, static type =>
        [.. type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.CanWrite).OrderBy(p => p.MetadataToken).Select(p => new SpecKey(p))]);
}

/// <summary>With which values of a sibling property a key is used.</summary>
internal sealed record KeyCondition(PropertyInfo Chooser, IKeyUse Use)
{
    public bool HoldsIn(object record) => Use.Allows(Chooser.GetValue(record)!);

    /// <summary>Those values, as they are spelled.</summary>
    public IEnumerable<string> Choices => SpecNames.ValuesOf(Chooser.PropertyType).Where(v => Use.Allows(v.Value)).Select(v => v.Name);
}

/// <summary>How the names of C# are spelled in a spec: camel case, unless <see cref="SpelledAttribute"/> says otherwise.</summary>
internal static class SpecNames
{
    /// <summary>The key by which a family of records (<see cref="ModelSpec"/>, <see cref="DataSpec"/>) chooses its case.</summary>
    public const string Kind = "kind";

    public static string Of(MemberInfo member) =>
        member.GetCustomAttribute<SpelledAttribute>()?.Text ?? JsonNamingPolicy.CamelCase.ConvertName(member.Name);

    public static string Of(Enum value) => Of(value.GetType().GetField(value.ToString())!);

    /// <summary>The values of an enum by their spelling, in the order of their declaration.</summary>
    public static IReadOnlyList<(string Name, Enum Value)> ValuesOf(Type type) =>
        [.. type.GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => (Of(f), (Enum)f.GetValue(null)!))];

    /// <summary>The cases of a family by their <see cref="Kind"/>.</summary>
    public static IReadOnlyList<(string Name, Type Case)> CasesOf(Type family) =>
        [.. family.GetNestedTypes().Where(t => t.IsSubclassOf(family)).OrderBy(t => t.MetadataToken).Select(t => (Of(t), t))];
}
