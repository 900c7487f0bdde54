using System.Collections.Immutable;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Cluster.Cli.Report;
using Cluster.Contracts.Jobs;

namespace Cluster.Tests.Exports;

/// <summary>The page is one well-formed file that asks nobody for anything, and whatever a job says is text.</summary>
public sealed partial class ReportTests
{
    private const string Evil = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>&amp;";

    private static readonly XNamespace s_svg = "http://www.w3.org/2000/svg";

    [Fact]
    public void It_has_the_job_its_curves_and_what_happened()
    {
        var page = Parse(HtmlReport.Write(Job("digits-1"), Metrics(("loss", 0.5), ("evalLoss", null), ("layer1.goodness", 1), ("layer2.goodness", 2), ("lr", 0.1))));
        var text = page.Value;
        foreach (var words in (string[])["digits-1", "Succeeded: done", "name: digits", "w1 fell silent", "a notice", "Recoveries", "cpu"]) { Assert.Contains(words, text, StringComparison.Ordinal); }
        Assert.Equal(["loss", "learning rate", "goodness by layer"], page.Descendants("figcaption").Select(caption => caption.Value));
        var figures = page.Descendants("figure").ToArray();
        Assert.Equal([2, 1, 2], figures.Select(figure => figure.Descendants(s_svg + "polyline").Count() + figure.Elements(s_svg + "svg").Descendants(s_svg + "circle").Count()));
        Assert.All(figures, figure => Assert.Single(figure.Descendants(s_svg + "line"), line => (string?)line.Attribute("class") == "lost"));
        // Three points of loss within the picture, from left to right.
        var points = figures[0].Descendants(s_svg + "polyline").First().Attribute("points")!.Value.Split(' ').Select(p => p.Split(',').Select(n => double.Parse(n, System.Globalization.CultureInfo.InvariantCulture)).ToArray()).ToArray();
        Assert.Equal(3, points.Length);
        Assert.Equal(points.OrderBy(p => p[0]), points);
        Assert.All(points, p => Assert.True(p[0] is >= 0 and <= 640 && p[1] is >= 0 and <= 260));
    }

    [Fact]
    public void It_refers_to_nothing_outside_itself()
    {
        var html = HtmlReport.Write(Job("digits-1"), Metrics(("loss", 1)));
        Assert.DoesNotMatch(References(), html.Replace(s_svg.NamespaceName, "", StringComparison.Ordinal));
        Assert.DoesNotContain(Parse(html).Descendants(), element => element.Name.LocalName is "script" or "link" or "img" or "iframe" or "object" or "base" or "form");
    }

    [Fact]
    public void What_a_job_says_is_never_markup()
    {
        var html = HtmlReport.Write(
            Job(Evil) with { Reason = Evil, Notices = [Evil, "a \u0007 bell and 😀"], Metrics = ImmutableDictionary<string, double>.Empty.Add(Evil, double.NaN) },
            Metrics((Evil, 1), ($"layer{Evil}.x", 2)));
        Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<img", html, StringComparison.OrdinalIgnoreCase);
        var page = Parse(html);
        Assert.Equal(Evil, page.Descendants("h1").Single().Value);
        Assert.Contains("a \ufffd bell and 😀", page.Value, StringComparison.Ordinal);
        Assert.DoesNotContain(page.Descendants().Attributes(), attribute => attribute.Name.LocalName.StartsWith("on", StringComparison.Ordinal));
    }

    [Fact]
    public void A_job_without_a_round_has_a_page_too()
    {
        var page = Parse(HtmlReport.Write(Job("empty") with { Events = [], Metrics = ImmutableDictionary<string, double>.Empty, Submission = null }, Metrics() with { Rounds = [], SamplesSeen = [] }));
        Assert.Empty(page.Descendants("figure"));
        Assert.DoesNotContain(page.Descendants("h2"), title => title.Value == "Curves");
    }

    /// <summary>Browsers read <c>&lt;div/&gt;</c> as a beginning: only elements that are empty by HTML's own rules may be written so.</summary>
    [Fact]
    public void No_element_is_closed_in_a_way_that_HTML_does_not_know()
    {
        var html = HtmlReport.Write(Job("digits-1") with { Reason = "" }, Metrics(("loss", 1)));
        Assert.All(SelfClosed().Matches(html), match => Assert.Contains(match.Groups[1].Value, (string[])["meta", "line", "circle", "polyline", "polygon"]));
    }

    private static XElement Parse(string html)
    {
        Assert.StartsWith("<!DOCTYPE html>\n", html, StringComparison.Ordinal);
        return XDocument.Parse(html).Root!;
    }

    private static MetricsView Metrics(params (string Name, double? Value)[] series) => new(
        1, [1, 2, 3], [64, 128, 192],
        series.ToImmutableDictionary(s => s.Name, s => new MetricSeries(s.Value is { } value ? [value, value * 2, value / 2] : [null, 0.25, null], [], [])), 3);

    private static JobView Job(string id) => new(
        id, JobState.Succeeded, "done", 2, 1, 3, 3, 192, 0, "/store/x", new string('a', 64), [new("w0", 1, 0, 12, 3)],
        ImmutableDictionary<string, double>.Empty.Add("loss", 0.25), ImmutableDictionary<string, string>.Empty.Add("processor", "cpu"), [], 3, ["a notice"],
        [
            new(new DateTime(2026, 11, 28, 1, 2, 3, DateTimeKind.Utc), 1, JobState.Running, "generation 1 has 2 workers"),
            new(new DateTime(2026, 11, 28, 1, 2, 4, DateTimeKind.Utc), 2, JobState.Running, "generation 2 has 1 worker: w1 fell silent") { Round = 2, IsRecovery = true },
        ], 640, new JobSubmission("name: digits\nmethod: lamb\n", "hash", "/store/x", [], 1, 2, Resume: false));

    [GeneratedRegex(@"https?:|//|\bsrc=|\bhref=|url\(|@import", RegexOptions.IgnoreCase)]
    private static partial Regex References();

    [GeneratedRegex(@"<(\w+)[^<>]*/>")]
    private static partial Regex SelfClosed();
}
