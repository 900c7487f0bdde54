using System.Text.RegularExpressions;
using Cluster.Tests.Spec;

namespace Cluster.Tests.Telemetry;

/// <summary>The tables of <c>docs/telemetry.md</c>.</summary>
internal static partial class TelemetryGuide
{
    private static readonly string[] s_lines = File.ReadAllLines(Path.Combine(SpecSamples.Root, "docs", "telemetry.md"));

    public static IReadOnlyList<(string Name, string Kind, string Unit, string Process, string[] Attributes)> Instruments { get; } =
        [.. Rows("| instrument |").Select(cells => (Code(cells[0]), cells[1], Code(cells[2]), cells[3], Codes(cells[4])))];

    public static IReadOnlyList<(string Name, string Process, string[] Attributes)> Spans { get; } =
        [.. Rows("| span |").Select(cells => (Code(cells[0]), cells[1], Codes(cells[3])))];

    public static IReadOnlyList<string> Attributes { get; } = [.. Rows("| attribute |").Select(cells => Code(cells[0]))];

    private static IEnumerable<string[]> Rows(string head) => s_lines
        .SkipWhile(line => !line.StartsWith(head, StringComparison.Ordinal)).Skip(2)
        .TakeWhile(line => line.StartsWith('|'))
        .Select(line => line[1..^1].Split('|', StringSplitOptions.TrimEntries));

    private static string Code(string cell) => cell.Trim('`');

    private static string[] Codes(string cell) => [.. CodeSpans().Matches(cell).Select(match => match.Groups[1].Value)];

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex CodeSpans();
}
