using System.Globalization;
using System.Text;

namespace Cluster.Cli.Plots;

/// <summary>Curves as text: each character is a field of 2 x 4 dots (Unicode's Braille patterns), so a line of it is fine enough to read.</summary>
internal static class TerminalPlot
{
    private const int Columns = 72, Rows = 14;
    private const int DotsX = Columns * 2, DotsY = Rows * 4;
    private const int LabelWidth = 10;

    /// <summary>The bit of each dot of a character, by its column and row within it.</summary>
    private static readonly int[,] s_bits = { { 0x01, 0x02, 0x04, 0x40 }, { 0x08, 0x10, 0x20, 0x80 } };

    /// <summary>One text of several lines: the field, the range of y beside it and that of x below.</summary>
    public static string Draw(IReadOnlyList<Curve> curves)
    {
        var (left, right) = Range(curves.SelectMany(curve => curve.X));
        var (low, high) = Range(curves.SelectMany(curve => curve.Y).Where(double.IsFinite).Append(0));
        var field = new int[Columns, Rows];
        foreach (var (a, b) in curves.SelectMany(curve => curve.X.Zip(curve.Y).Zip(curve.X.Zip(curve.Y).Skip(1))))
        {
            if (double.IsFinite(a.Second) && double.IsFinite(b.Second)) { Line(field, Dot(a), Dot(b)); }
        }

        var text = new StringBuilder();
        for (var row = 0; row < Rows; row++)
        {
            var label = row == 0 ? Number(high) : row == Rows - 1 ? Number(low) : "";
            text.Append(label.PadLeft(LabelWidth)).Append(" ┤");
            for (var column = 0; column < Columns; column++) { text.Append((char)(0x2800 + field[column, row])); }
            text.Append('\n');
        }

        var axis = Number(left).PadRight(Columns - Number(right).Length) + Number(right);
        return text.Append(' ', LabelWidth + 2).Append(axis).Append('\n').ToString();

        (int X, int Y) Dot((double X, double Y) point) => (
            (int)Math.Round((DotsX - 1) * (point.X - left) / (right - left)),
            (int)Math.Round((DotsY - 1) * (high - point.Y) / (high - low)));
    }

    private static void Line(int[,] field, (int X, int Y) from, (int X, int Y) to)
    {
        var steps = Math.Max(1, Math.Max(Math.Abs(to.X - from.X), Math.Abs(to.Y - from.Y)));
        for (var i = 0; i <= steps; i++)
        {
            var (x, y) = (from.X + ((to.X - from.X) * i / steps), from.Y + ((to.Y - from.Y) * i / steps));
            field[x / 2, y / 4] |= s_bits[x % 2, y % 4];
        }
    }

    private static (double Low, double High) Range(IEnumerable<double> values)
    {
        var (low, high) = values.Aggregate((double.MaxValue, double.MinValue), (range, value) => (Math.Min(range.Item1, value), Math.Max(range.Item2, value)));
        return low < high ? (low, high) : (low, low + 1);
    }

    private static string Number(double value) => value.ToString("G4", CultureInfo.InvariantCulture);
}
