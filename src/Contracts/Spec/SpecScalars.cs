using System.Globalization;
using System.Text.RegularExpressions;

namespace Cluster.Contracts.Spec;

/// <summary>
/// Values of one word, by the core schema of YAML 1.2: what is not exactly a number is no number, <c>yes</c> is no truth, and
/// quotes make text. Numbers have no other bases and are finite.
/// </summary>
internal static partial class SpecScalars
{
    public static bool IsScalar(Type type) =>
        type == typeof(string) || type == typeof(bool) || type == typeof(int) || type == typeof(long) || type == typeof(double) || type.IsEnum;

    /// <summary>The value as <paramref name="type"/>, or null when it is none or outside its limits.</summary>
    public static object? Read(SpecNode.Scalar scalar, Type type, IReadOnlyList<LimitAttribute> limits, bool isName)
    {
        if (type == typeof(string))
        {
            return ReadText(scalar, isName);
        }

        if (type.IsEnum)
        {
            return SpecNames.ValuesOf(type).FirstOrDefault(v => v.Name == scalar.Text).Value;
        }

        if (type == typeof(bool))
        {
            return scalar is { Plain: true, Text: "true" or "false" } ? scalar.Text == "true" : null;
        }

        return ReadNumber(scalar, type) is { } number && limits.All(l => l.Allows(Convert.ToDouble(number, CultureInfo.InvariantCulture))) ? number : null;
    }

    public static bool IsNotFinite(SpecNode.Scalar scalar) =>
        scalar.Plain && (NotFinite().IsMatch(scalar.Text) || (Number().IsMatch(scalar.Text) && !double.IsFinite(Parsed(scalar.Text))));

    private static string? ReadText(SpecNode.Scalar scalar, bool isName)
    {
        var good = isName
            ? NameAttribute.IsName(scalar.Text)
            : !scalar.IsNull && !string.IsNullOrWhiteSpace(scalar.Text) && scalar.Text.All(Quote.Writable) && IsWellFormed(scalar.Text);
        return good ? scalar.Text : null;
    }

    private static object? ReadNumber(SpecNode.Scalar scalar, Type type)
    {
        if (!scalar.Plain)
        {
            return null;
        }

        if (type == typeof(double))
        {
            return Number().IsMatch(scalar.Text) && double.IsFinite(Parsed(scalar.Text)) ? Parsed(scalar.Text) : null;
        }

        const NumberStyles sign = NumberStyles.AllowLeadingSign;
        return type == typeof(int)
            ? int.TryParse(scalar.Text, sign, CultureInfo.InvariantCulture, out var small) ? small : null
            : long.TryParse(scalar.Text, sign, CultureInfo.InvariantCulture, out var large) ? large : null;
    }

    private static double Parsed(string number) => double.Parse(number, NumberStyles.Float, CultureInfo.InvariantCulture);

    private static bool IsWellFormed(string text) => text.EnumerateRunes().All(r => r != System.Text.Rune.ReplacementChar);

    [GeneratedRegex(@"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\z")]
    private static partial Regex Number();

    [GeneratedRegex(@"^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))\z")]
    private static partial Regex NotFinite();
}
