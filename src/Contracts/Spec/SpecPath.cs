using System.Text.RegularExpressions;

namespace Cluster.Contracts.Spec;

/// <summary>Dotted paths of keys: <c>scaling.base.lr</c>, <c>stages[1].batch</c>. Lists count from 0.</summary>
internal static partial class SpecPath
{
    public static string Join(string parent, string key) => parent.Length == 0 ? Shown(key) : $"{parent}.{Shown(key)}";

    /// <summary>The keys (text) and list positions (numbers) of a path; null when it is none.</summary>
    public static IReadOnlyList<(string? Key, int Index)>? Split(string path)
    {
        if (!Whole().IsMatch(path))
        {
            return null;
        }

        return [.. Part().Matches(path).Select(m => m.Groups["index"] is { Success: true } index
            ? ((string?)null, int.Parse(index.ValueSpan, provider: null))
            : (m.Value, 0))];
    }

    // A key that is no plain word is a mistake of the user; it must not break the path in a message.
    private static string Shown(string key) => Word().IsMatch(key) ? key : Quote.Show(key);

    [GeneratedRegex("^[A-Za-z0-9_-]{1,60}$")]
    private static partial Regex Word();

    [GeneratedRegex(@"^[A-Za-z0-9_-]+(\[[0-9]{1,6}\]|\.[A-Za-z0-9_-]+)*$")]
    private static partial Regex Whole();

    [GeneratedRegex(@"[A-Za-z0-9_-]+(?=[.\[]|$)|\[(?<index>[0-9]+)\]")]
    private static partial Regex Part();
}
