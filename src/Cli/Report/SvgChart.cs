using System.Globalization;
using System.Text;
using System.Xml.Linq;
using Cluster.Contracts.Jobs;

namespace Cluster.Cli.Report;

/// <summary>A few curves over the rounds as SVG, with a legend below.</summary>
internal static class SvgChart
{
    private const double Width = 640, Height = 260, Left = 62, Right = 12, Top = 10, Bottom = 24;

    private const int YTicks = 4, XTicks = 4;

    private static readonly XNamespace s_svg = "http://www.w3.org/2000/svg";

    private static readonly string[] s_colours = ["#2970ff", "#dd6b20", "#12805c", "#9b51e0", "#c4320a", "#0e7490", "#a16207", "#be185d"];

    /// <param name="losses">Rounds after which a generation was lost.</param>
    public static XElement Draw(ChartGroup group, MetricsView metrics, IReadOnlyList<long> losses)
    {
        var (low, high) = Range(group.Names.SelectMany(name => Bounds(metrics.Series[name])));
        var (first, last) = (metrics.Rounds[0], metrics.Rounds[^1]);
        double X(long round) => Left + ((Width - Left - Right) * (last == first ? 0.5 : (round - first) / (double)(last - first)));
        double Y(double value) => Top + ((Height - Top - Bottom) * (high - value) / (high - low));

        var picture = new XElement(s_svg + "svg", new XAttribute("viewBox", Text($"0 0 {Width} {Height}")), new XAttribute("role", "img"), new XAttribute("aria-label", $"{group.Title} over rounds"));
        for (var i = 0; i <= YTicks; i++)
        {
            var value = low + ((high - low) * i / YTicks);
            picture.Add(Line(Left, Y(value), Width - Right, Y(value), "axis"), Label(Left - 6, Y(value) + 4, "end", value.ToString("G4", CultureInfo.InvariantCulture)));
        }

        foreach (var round in Enumerable.Range(0, XTicks + 1).Select(i => first + ((last - first) * i / XTicks)).Distinct())
        {
            picture.Add(Label(X(round), Height - 6, round == first && last > first ? "start" : round == last && last > first ? "end" : "middle", round.ToString("N0", CultureInfo.InvariantCulture)));
        }

        foreach (var round in losses.Where(round => round >= first && round <= last).Distinct()) { picture.Add(Line(X(round), Top, X(round), Height - Bottom, "lost")); }
        foreach (var (name, colour) in group.Names.Select((name, i) => (name, s_colours[i % s_colours.Length]))) { picture.Add(Curve(metrics, metrics.Series[name], colour, X, Y)); }
        return new("figure", new XElement("figcaption", group.Title), picture, Legend(group));
    }

    private static IEnumerable<XElement> Curve(MetricsView metrics, MetricSeries series, string colour, Func<long, double> x, Func<double, double> y)
    {
        // Points follow one another although there is none for a round between: an evaluation comes every so many rounds.
        var there = Enumerable.Range(0, metrics.Rounds.Length).Where(i => series.Mean[i] is not null).ToArray();
        if (there.Length == 0) { yield break; }
        if (!series.Min.IsDefaultOrEmpty && there.Length > 1)
        {
            var band = there.Select(i => (i, Value: series.Max[i])).Concat(there.Reverse().Select(i => (i, Value: series.Min[i])));
            yield return new XElement(s_svg + "polygon", new XAttribute("points", Points(band.Select(p => (x(metrics.Rounds[p.i]), y(p.Value!.Value))))), new XAttribute("fill", colour), new XAttribute("fill-opacity", "0.15"));
        }

        var at = there.Select(i => (X: x(metrics.Rounds[i]), Y: y(series.Mean[i]!.Value))).ToArray();
        yield return at.Length == 1
            ? new XElement(s_svg + "circle", new XAttribute("cx", Number(at[0].X)), new XAttribute("cy", Number(at[0].Y)), new XAttribute("r", "3"), new XAttribute("fill", colour))
            : new XElement(s_svg + "polyline", new XAttribute("points", Points(at)), new XAttribute("fill", "none"), new XAttribute("stroke", colour), new XAttribute("stroke-width", "1.5"));
    }

    private static XElement Legend(ChartGroup group) => new("div", group.Names.Select((name, i) => new XElement("span",
        new XElement(s_svg + "svg", new XAttribute("viewBox", "0 0 10 10"), new XAttribute("style", "width:.7em;margin-right:.3em"), new XAttribute("aria-hidden", "true"),
            new XElement(s_svg + "circle", new XAttribute("cx", "5"), new XAttribute("cy", "5"), new XAttribute("r", "5"), new XAttribute("fill", s_colours[i % s_colours.Length]))),
        $"{name} \u00a0 ")));

    private static IEnumerable<double> Bounds(MetricSeries series) => series.Mean.Concat(series.Min.IsDefault ? [] : series.Min).Concat(series.Max.IsDefault ? [] : series.Max).OfType<double>();

    /// <summary>A little more than the values take; something also where all are the same, or there are none.</summary>
    private static (double Low, double High) Range(IEnumerable<double> values)
    {
        var all = values.ToArray();
        if (all.Length == 0) { return (0, 1); }
        var (low, high) = (all.Min(), all.Max());
        var margin = high > low ? (high - low) * 0.04 : Math.Max(Math.Abs(high) * 0.1, 1e-9);
        return (low - margin, high + margin);
    }

    private static XElement Line(double x1, double y1, double x2, double y2, string kind) => new(s_svg + "line",
        new XAttribute("x1", Number(x1)), new XAttribute("y1", Number(y1)), new XAttribute("x2", Number(x2)), new XAttribute("y2", Number(y2)), new XAttribute("class", kind));

    private static XElement Label(double x, double y, string anchor, string text) =>
        new(s_svg + "text", new XAttribute("x", Number(x)), new XAttribute("y", Number(y)), new XAttribute("text-anchor", anchor), text);

    private static string Points(IEnumerable<(double X, double Y)> points) => points.Aggregate(new StringBuilder(), (text, p) => text.Append(Number(p.X)).Append(',').Append(Number(p.Y)).Append(' ')).ToString().TrimEnd();

    private static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}
