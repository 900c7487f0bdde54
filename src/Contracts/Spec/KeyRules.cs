using System.Text.RegularExpressions;

namespace Cluster.Contracts.Spec;

/// <summary>How an enum value or a kind is spelled in a spec where camel case would be odd: <c>adamw</c>, <c>lenet</c>.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Field)]
public sealed class SpelledAttribute(string text) : Attribute
{
    public string Text { get; } = text;
}

/// <summary>
/// A key that means something only when the sibling property <paramref name="property"/> has one of these values. Given with
/// another value it is refused, and the writer leaves it out: a spec never holds a number that nothing reads. Where a key has more
/// than one such rule, all must hold.
/// </summary>
[AttributeUsage(AttributeTargets.Property, AllowMultiple = true)]
public sealed class OnlyWithAttribute(string property, params object[] values) : Attribute, IKeyUse
{
    public string Property { get; } = property;

    /// <summary>With these values it must be given.</summary>
    public bool IsRequired { get; set; }

    public bool Allows(object value) => values.Contains(value);
}

/// <summary>
/// A key that means nothing when the sibling property <paramref name="property"/> has one of these values: the opposite of
/// <see cref="OnlyWithAttribute"/>, for keys that most values use.
/// </summary>
[AttributeUsage(AttributeTargets.Property, AllowMultiple = true)]
public sealed class NotWithAttribute(string property, params object[] values) : Attribute, IKeyUse
{
    public string Property { get; } = property;

    public bool Allows(object value) => !values.Contains(value);
}

/// <summary>Whether a key is used, by the value of a sibling.</summary>
internal interface IKeyUse
{
    /// <summary>Name of the sibling property.</summary>
    string Property { get; }

    bool Allows(object value);
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

    public static bool IsName(string text) => Regex.IsMatch(text, Pattern, RegexOptions.CultureInvariant) && !text.EndsWith('\n');
}

/// <summary>A key that does not touch the final weights and is therefore no part of <see cref="SpecHash"/>.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class OutsideAnswerAttribute : Attribute;
