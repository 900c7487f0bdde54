namespace Cluster.Contracts.Spec;

/// <summary>How an enum value or a kind is spelled in a spec where camel case would be odd: <c>adamw</c>, <c>lenet</c>.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Field)]
public sealed class SpelledAttribute(string text) : Attribute
{
    public string Text { get; } = text;
}

/// <summary>
/// A key that means something only when the sibling property <paramref name="property"/> has one of these values. Given with
/// another value it is refused, and the writer leaves it out: a spec never holds a number that nothing reads.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class OnlyWithAttribute(string property, params object[] values) : Attribute
{
    public string Property { get; } = property;

    public IReadOnlyList<object> Values { get; } = values;
}

/// <summary>A list of at least one item.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class NotEmptyAttribute : Attribute;

/// <summary>Text that names a thing in paths, on the screen and in metrics.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class NameAttribute : Attribute
{
    public const string Pattern = "^[a-z][a-z0-9-]{0,62}$";

    public const string Rule = "1 to 63 of a-z, 0-9 and '-', beginning with a letter";
}

/// <summary>A key that does not touch the final weights and is therefore no part of <see cref="SpecHash"/>.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class OutsideAnswerAttribute : Attribute;
