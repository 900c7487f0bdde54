using System.Globalization;
using System.Xml.Linq;
using Cluster.Contracts;
using Cluster.Contracts.Jobs;

namespace Cluster.Cli.Report;

/// <summary>
/// A job on one page: what it was, its curves, and what happened to it. One file that needs nothing else: no script, no font and no
/// image from anywhere. It is built as a tree of elements, so whatever a name or a reason says is text and never markup.
/// </summary>
internal static class HtmlReport
{
    private const int MaxEvaluations = 40;

    private const string Style = """
        :root { color-scheme: light dark; --ink: #1d2430; --soft: #667085; --line: #d5dae2; --paper: #ffffff; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --soft: #9aa4b5; --line: #3a4252; --paper: #161a22; } }
        body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
        h1 { font-size: 1.5rem; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; margin-top: 2rem; }
        table { border-collapse: collapse; } th, td { text-align: left; vertical-align: top; padding: .2rem 1rem .2rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
        th { color: var(--soft); font-weight: 500; } pre { border: 1px solid var(--line); padding: .8rem; overflow-x: auto; }
        .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(26rem, 1fr)); gap: 1rem; } figure { margin: 0; } figcaption { font-weight: 500; }
        svg { width: 100%; height: auto; } svg text { fill: var(--soft); font: 11px system-ui, sans-serif; } .axis { stroke: var(--line); } .lost { stroke: #c4320a; stroke-dasharray: 4 3; }
        footer { color: var(--soft); margin: 2rem 0; }
        """;

    public static string Write(JobView job, MetricsView metrics)
    {
        var losses = job.Events.Where(e => e.IsRecovery).Select(e => e.Round).ToArray();
        var body = new XElement("body",
            new XElement("h1", job.JobId),
            Pairs(Summary(job)),
            Section("Curves", metrics.Rounds.IsEmpty ? [] : [new XElement("div", new XAttribute("class", "charts"), ChartGroup.Of(metrics).Select(group => SvgChart.Draw(group, metrics, losses))), Meaning(metrics, losses.Length)]),
            Section("Newest values", Table(["name", "value"], job.Metrics.Listed().Select(m => (IReadOnlyList<string>)[m.Key, Number(m.Value)]))),
            Section("Evaluations", Evaluations(metrics)),
            Section("Recoveries", Table(["time", "generation", "after round", "why"], job.Events.Where(e => e.IsRecovery).Select(e => (IReadOnlyList<string>)[Time(e.Time), Number(e.Generation), Number(e.Round), e.Text]))),
            Section("What happened", Table(["time", "generation", "round", "state", "what"], job.Events.Select(e => (IReadOnlyList<string>)[Time(e.Time), Number(e.Generation), Number(e.Round), e.State.ToString(), e.Text]))),
            Section("Workers", Table(["worker", "rank", "leaves", "last round"], job.Workers.Select(w => (IReadOnlyList<string>)[w.Id, w.Rank < 0 ? "left" : Number(w.Rank), Number(w.LeavesComputed), Number(w.Round)]))),
            Section("Orders", Table(["kind", "name", "state", "at update", "why not"], job.Orders.Select(o => (IReadOnlyList<string>)[o.Kind.ToString(), o.Name, o.State.ToString(), Number(o.Update), o.Reason ?? ""]))),
            Section("Notices", job.Notices.IsEmpty ? [] : [new XElement("ul", job.Notices.Select(notice => new XElement("li", notice)))]),
            Section("Spec", job.Submission is { } submission ? [new XElement("pre", submission.SpecText)] : []),
            Section("Where it was computed", Pairs(job.Environment.OrderBy(e => e.Key, StringComparer.Ordinal).Select(e => (e.Key, (string?)e.Value)))),
            new XElement("footer", "Times are UTC. Written by cluster report."));
        var page = new XElement("html", new XAttribute("lang", "en"),
            new XElement("head",
                new XElement("meta", new XAttribute("charset", "utf-8")),
                new XElement("meta", new XAttribute("name", "viewport"), new XAttribute("content", "width=device-width, initial-scale=1")),
                new XElement("title", $"{job.JobId}: {job.State}"),
                new XElement("style", Style)),
            body);
        return $"<!DOCTYPE html>\n{Clean(page).ToString(SaveOptions.DisableFormatting)}\n";
    }

    private static IEnumerable<(string Name, string? Value)> Summary(JobView job) =>
    [
        ("state", $"{job.State}: {job.Reason}"),
        ("rounds", $"{Number(job.Round)} of {Number(job.Rounds)}, of which {Number(job.SkippedRounds)} skipped"),
        ("samples", Number(job.SamplesSeen)),
        ("generations", $"{Number(job.Generation)}, of which {Number(job.Recoveries)} lost"),
        ("workers", job.Submission is { } s ? $"{Number(s.MinWorkers)} to {Number(s.MaxWorkers)}" : null),
        ("from", job.Events is [var first, ..] ? Time(first.Time) : null),
        ("to", job.Events is [.., var last] && job.State.IsFinal ? Time(last.Time) : null),
        ("checkpoint", job.Checkpoint),
        ("weights (SHA-256)", job.WeightsSha256),
        ("spec hash", job.Submission?.SpecHash),
        ("trace", job.Submission?.TraceParent),
    ];

    private static XElement Meaning(MetricsView metrics, int losses) => new("p", string.Join(' ',
        metrics.RoundsPerPoint == 1 ? "Each point is a round." : $"Each point is the mean of {Number(metrics.RoundsPerPoint)} rounds; the shade goes from the least to the greatest of them.",
        losses > 0 ? "A dashed line is a generation that was lost." : ""));

    /// <summary>The newest, where there are many: the curves have all.</summary>
    private static IEnumerable<XElement> Evaluations(MetricsView metrics)
    {
        var series = metrics.Series.Where(s => s.Key.StartsWith("eval", StringComparison.Ordinal) || s.Key.StartsWith("localEval", StringComparison.Ordinal)).OrderBy(s => s.Key, StringComparer.Ordinal).ToArray();
        var points = Enumerable.Range(0, metrics.Rounds.Length).Where(i => series.Any(s => s.Value.Mean[i] is not null)).TakeLast(MaxEvaluations);
        return Table(["round", .. series.Select(s => s.Key)], points.Select(i => (IReadOnlyList<string>)[Number(metrics.Rounds[i]), .. series.Select(s => s.Value.Mean[i] is { } value ? Number(value) : "")]));
    }

    /// <summary>Nothing where there is nothing to say.</summary>
    private static IEnumerable<XElement> Section(string title, IEnumerable<XElement> content) => content.ToArray() is { Length: > 0 } parts ? [new XElement("h2", title), .. parts] : [];

    private static IEnumerable<XElement> Pairs(IEnumerable<(string Name, string? Value)> pairs)
    {
        XElement[] rows = [.. pairs.Where(pair => pair.Value is not null).Select(pair => new XElement("tr", new XElement("th", pair.Name), new XElement("td", pair.Value)))];
        return rows.Length == 0 ? [] : [new XElement("table", rows)];
    }

    private static IEnumerable<XElement> Table(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        XElement[] lines = [.. rows.Select(row => new XElement("tr", row.Select(cell => new XElement("td", cell))))];
        return lines.Length == 0 ? [] : [new XElement("table", new XElement("thead", new XElement("tr", columns.Select(column => new XElement("th", column)))), new XElement("tbody", lines))];
    }

    /// <summary>A reason may hold what XML has no place for, such as a control character of a crashed library.</summary>
    private static XElement Clean(XElement page)
    {
        foreach (var text in page.DescendantNodes().OfType<XText>().Where(text => !text.Value.All(System.Xml.XmlConvert.IsXmlChar)))
        {
            text.Value = string.Concat(text.Value.Select(c => System.Xml.XmlConvert.IsXmlChar(c) || char.IsSurrogate(c) ? c : '\ufffd'));
        }

        return page;
    }

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string Number(double value) => value.ToString("G6", CultureInfo.InvariantCulture);

    private static string Time(DateTime time) => time.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
}
