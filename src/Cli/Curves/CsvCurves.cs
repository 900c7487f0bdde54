using System.Globalization;
using System.Text;

namespace Cluster.Cli.Curves;

/// <summary>
/// Curves as RFC 4180 has it: a line of names, then one a point, with commas between and CR LF behind. Numbers have all digits that it takes
/// to read the same one back; a cell without a value is empty.
/// </summary>
internal static class CsvCurves
{
    public static async Task WriteAsync(CurveTable table, Stream into)
    {
        await using var text = new StreamWriter(into, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true) { NewLine = "\r\n" };
        await text.WriteLineAsync(string.Join(',', table.Columns.Select(column => Cell(column.Name)).Prepend("samplesSeen").Prepend("round")));
        for (var i = 0; i < table.Rounds.Length; i++)
        {
            IEnumerable<string> numbers = table.Columns.Select(column => column.Values[i]?.ToString("R", CultureInfo.InvariantCulture) ?? "");
            await text.WriteLineAsync(string.Join(',', numbers.Prepend(Number(table.SamplesSeen[i])).Prepend(Number(table.Rounds[i]))));
        }
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Cell(string text) => text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
