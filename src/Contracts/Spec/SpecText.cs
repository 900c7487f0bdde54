using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Cluster.Contracts.Spec.Continual;

namespace Cluster.Contracts.Spec;

/// <summary>
/// The canonical YAML of a spec: every key that has a value and is used, defaults included, in the order of the records. It
/// reads back to an equal record, and does so after a default has changed.
/// </summary>
public static partial class SpecText
{
    public static string Write(JobSpec spec) => WriteRecord(spec);

    /// <summary>One stage, as the text of an order.</summary>
    public static string Write(ContinualStageSpec stage) => WriteRecord(stage);

    /// <summary>One release, as the text of an order.</summary>
    public static string Write(ReleaseSpec release) => WriteRecord(release);

    private static string WriteRecord(object record)
    {
        var text = new StringBuilder();
        WriteKeys(text, Keys(record), indent: "");
        return text.ToString();
    }

    /// <summary>The keys that a record writes: its kind first, where it is one of a family.</summary>
    internal static IEnumerable<(string Name, object Value, bool OutsideAnswer)> Keys(object record)
    {
        var type = record.GetType();
        if (type.IsNested)
        {
            yield return (SpecNames.Kind, SpecNames.Of(type), false);
        }

        foreach (var key in SpecKey.Of(type).Where(k => k.IsUsedIn(record)))
        {
            // YAML numbers of a spec are finite; an infinite bound is the default of a key left out.
            if (key.Property.GetValue(record) is { } value and not double.PositiveInfinity)
            {
                yield return (key.Name, value, key.OutsideAnswer);
            }
        }
    }

    /// <summary>A value of one word.</summary>
    internal static string Scalar(object value) => value switch
    {
        string text => PlainText().IsMatch(text) && !Keyword().IsMatch(text) ? text : Quote.Full(text),
        bool truth => truth ? "true" : "false",
        Enum choice => SpecNames.Of(choice),
        double number => number.ToString("R", CultureInfo.InvariantCulture),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    /// <summary>The items of a <see cref="ValueList{T}"/>; null for other values.</summary>
    internal static IReadOnlyList<object>? Items(object value) =>
        value is System.Collections.IEnumerable list and not string ? [.. list.Cast<object>()] : null;

    private static void WriteKeys(StringBuilder text, IEnumerable<(string Name, object Value, bool OutsideAnswer)> keys, string indent)
    {
        foreach (var (name, value, _) in keys)
        {
            text.Append(indent).Append(name).Append(':');
            WriteValue(text, value, indent);
            indent = new string(' ', indent.Length);
        }
    }

    private static void WriteValue(StringBuilder text, object value, string indent)
    {
        // Below a list's "- " the keys stand two columns in, like those of any mapping.
        var inner = new string(' ', indent.Length + 2);
        switch (Items(value))
        {
            case null when SpecScalars.IsScalar(value.GetType()):
                text.Append(' ').Append(Scalar(value)).Append('\n');
                break;
            case null:
                text.Append('\n');
                WriteKeys(text, Keys(value), inner);
                break;
            case [{ } first, ..] records when !SpecScalars.IsScalar(first.GetType()):
                text.Append('\n');
                foreach (var record in records)
                {
                    WriteKeys(text, Keys(record), $"{inner}- ");
                }

                break;
            case var scalars:
                text.Append(" [").AppendJoin(", ", scalars.Select(Scalar)).Append("]\n");
                break;
        }
    }

    [GeneratedRegex(@"^[A-Za-z][A-Za-z0-9_./-]*\z")]
    private static partial Regex PlainText();

    /// <summary>What YAML 1.1 and 1.2 readers take for something other than text.</summary>
    [GeneratedRegex(@"^(null|true|false|yes|no|on|off|y|n)\z", RegexOptions.IgnoreCase)]
    private static partial Regex Keyword();
}
