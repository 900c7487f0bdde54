using System.Globalization;
using System.Text;
using Cluster.Contracts;

namespace Cluster.Trainer.Core.Data;

/// <summary>
/// A table as text: a header line that must be exactly the expected one, then a line per row, its fields separated by commas.
/// Fields have no quotes, so none holds a comma.
/// </summary>
internal static class CsvFile
{
    /// <summary>Far more than any real table, so that a wrong file does not fill the memory.</summary>
    private const long MaxBytes = 1L << 30;

    /// <exception cref="BadInputException">Another header, a line with another number of fields, or a file that is damaged.</exception>
    public static IEnumerable<CsvLine> Read(string path, string header)
    {
        using var file = DataFile.Open(path);
        var lines = Encoding.UTF8.GetString(file.ReadAll(MaxBytes)).Split('\n');
        if (lines[0].TrimEnd('\r') != header) { throw file.Bad($"begins with the line '{Shown(lines[0])}'; '{header}' expected"); }

        var columns = header.Count(letter => letter == ',') + 1;
        var last = lines[^1].Length == 0 ? lines.Length - 1 : lines.Length; // What follows the last line's end is no line.
        for (var i = 1; i < last; i++)
        {
            var fields = lines[i].TrimEnd('\r').Split(',');
            if (fields.Length != columns) { throw file.Bad($"line {i + 1}: {fields.Length} fields; {columns} expected ({header})"); }
            yield return new CsvLine(file.Path, i + 1, fields);
        }
    }

    public static string Shown(string text) => text.TrimEnd('\r') is { Length: > 60 } line ? $"{line[..60]}..." : text.TrimEnd('\r');
}

/// <summary>One row and where it stands. What does not fit becomes a message with file, line and column.</summary>
/// <param name="Number">From 1, the header.</param>
internal readonly record struct CsvLine(string Path, int Number, string[] Fields)
{
    /// <param name="what">What the number names, for the message: "a class".</param>
    /// <param name="below">The smallest number that is too large.</param>
    public int Index(int column, string what, int below) => int.TryParse(Fields[column], NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < below
        ? index
        : throw Bad(column, $"'{CsvFile.Shown(Fields[column])}' is not {what}: 0 to {below - 1}");

    public float Float(int column) => float.TryParse(Fields[column], NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && float.IsFinite(value)
        ? value
        : throw Bad(column, $"'{CsvFile.Shown(Fields[column])}' is not a finite number");

    public BadInputException Bad(int column, string what) => new($"{Path} line {Number}, column {column + 1}: {what}");
}
