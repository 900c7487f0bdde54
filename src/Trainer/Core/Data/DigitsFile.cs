using System.Globalization;
using System.Text;
using Cluster.Contracts;

namespace Cluster.Trainer.Core.Data;

/// <summary>
/// UCI "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak 1998): a line per digit, 64 counts of 0 to 16 row by
/// row, then the class, separated by commas.
/// </summary>
internal static class DigitsFile
{
    public const int Side = 8;
    public const int Classes = 10;
    public const int MaxPixel = 16;
    private const int Columns = Side * Side + 1;

    /// <summary>Far more than any real file, so that a wrong one does not fill the memory.</summary>
    private const long MaxBytes = 64 << 20;

    /// <returns>Pixels [count, 8, 8] and labels [count].</returns>
    /// <exception cref="BadInputException">A line does not have that form.</exception>
    public static (byte[] Pixels, byte[] Labels) Read(string path)
    {
        using var file = DataFile.Open(path);
        ReadOnlySpan<byte> text = file.ReadAll(MaxBytes);
        var (pixels, labels) = (new List<byte>(), new List<byte>());
        for (var number = 1; !text.IsEmpty; number++)
        {
            var end = text.IndexOf((byte)'\n');
            var line = end < 0 ? text : text[..end];
            text = end < 0 ? [] : text[(end + 1)..];
            ReadLine(file, number, line.TrimEnd((byte)'\r'), pixels, labels);
        }

        return ([.. pixels], [.. labels]);
    }

    private static void ReadLine(DataFile file, int number, ReadOnlySpan<byte> line, List<byte> pixels, List<byte> labels)
    {
        if (line.IsEmpty) { throw file.Bad($"line {number}: empty; {Columns} numbers expected"); }

        var columns = line.Count((byte)',') + 1;
        if (columns != Columns) { throw file.Bad($"line {number}: {columns} columns; {Columns} expected ({Side * Side} pixels and the class)"); }

        var column = 0;
        foreach (var range in line.Split((byte)','))
        {
            column++;
            var (what, max, values) = column < Columns ? ("a pixel", MaxPixel, pixels) : ("a class", Classes - 1, labels);
            if (!int.TryParse(line[range], NumberStyles.None, CultureInfo.InvariantCulture, out var value) || value > max)
            {
                throw file.Bad($"line {number}, column {column}: '{Shown(line[range])}' is not {what} of 0 to {max}");
            }

            values.Add((byte)value);
        }
    }

    private static string Shown(ReadOnlySpan<byte> field) => Encoding.UTF8.GetString(field.Length <= 20 ? field : field[..20]);
}
