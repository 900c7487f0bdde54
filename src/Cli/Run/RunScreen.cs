using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using Cluster.Client;
using Cluster.Contracts;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Spec;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Cluster.Cli.Run;

/// <summary>
/// What a person sees of a run: a live line on a terminal, a line every few seconds elsewhere, and the summary at the end.
/// With <c>--json -</c> all of it goes to standard error, so that standard output is the report alone.
/// </summary>
internal sealed class RunScreen
{
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(5);

    private readonly IAnsiConsole _console;
    private readonly bool _live;
    private readonly long _began = Stopwatch.GetTimestamp();
    private long _lastLine;
    private long _firstRound = -1;
    private double _firstRoundAt;

    private RunScreen(IAnsiConsole console, bool live)
    {
        _console = console;
        _live = live;
    }

    public static RunScreen Create(JobSpec spec, string jobId, int workers, bool quiet)
    {
        var toError = quiet;
        var redirected = toError ? Console.IsErrorRedirected : Console.IsOutputRedirected;
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(toError ? Console.Error : Console.Out),
            Ansi = redirected ? AnsiSupport.No : AnsiSupport.Detect,
            Interactive = redirected ? InteractionSupport.No : InteractionSupport.Detect,
        });
        if (redirected) { console.Profile.Width = 200; }
        console.MarkupLineInterpolated($"[bold]{jobId}[/]: {SpecSummary.Of(spec)} on {workers} worker{(workers == 1 ? "" : "s")}");
        return new RunScreen(console, live: !redirected);
    }

    public void Say(string text) => _console.WriteLine(text);

    public void Show(IEnumerable<IRenderable> parts)
    {
        foreach (var part in parts) { _console.Write(part); }
    }

    /// <summary>Shows the job until it is in a final state, and returns that.</summary>
    public Task<JobView> FollowAsync(IAsyncEnumerable<JobView> views) => _live
        ? _console.Live(new Text("")).AutoClear(true).StartAsync(live => FollowAsync(views, view => live.UpdateTarget(new Text(Line(view)))))
        : FollowAsync(views, ShowLineWhenDue);

    private async Task<JobView> FollowAsync(IAsyncEnumerable<JobView> views, Action<JobView> showProgress)
    {
        JobView? last = null;
        await foreach (var view in views)
        {
            SayNews(view, last);
            if (view.Metrics.ContainsKey("loss")) { showProgress(view); }
            last = view;
        }

        return last ?? throw new InvalidOperationException("a watch ended without a view");
    }

    private void SayNews(JobView view, JobView? last)
    {
        foreach (var notice in view.Notices.Skip(last?.Notices.Length ?? 0)) { Say(notice); }
        foreach (var branch in view.Branches.Skip(last?.Branches.Length ?? 0)) { Say($"release {branch.Release} anneals apart, as job {branch.JobId}"); }
        foreach (var change in view.Events.Skip(last?.Events.Length ?? 0).Where(e => e.Generation > 1 && e.State is JobState.Running))
        {
            Say($"generation {change.Generation}: {change.Text}");
        }

        foreach (var sample in view.Samples.Where(sample => sample.Values.ContainsKey("evalLoss")))
        {
            Say(string.Create(CultureInfo.InvariantCulture, $"round {sample.Round}: evaluation loss {sample.Values["evalLoss"]:F4}{BySet(sample.Values)}{Accuracy(sample.Values)}{FederatedWords.OfEvaluation(sample.Values)}"));
        }

        if (view.State != last?.State && view.State is JobState.Waiting or JobState.Stopping) { Say($"{view.State}: {view.Reason}"); }
    }

    /// <summary>Nothing of a model that has none.</summary>
    private static string Accuracy(ImmutableDictionary<string, double> values) =>
        values.TryGetValue("evalAccuracy", out var accuracy) ? string.Create(CultureInfo.InvariantCulture, $", accuracy {accuracy:P2}") : "";

    /// <summary>The losses of several data sets, whose mean stands before them.</summary>
    private static string BySet(IReadOnlyDictionary<string, double> values)
    {
        const string prefix = "evalLoss.";
        string[] sets = [.. values.Where(v => v.Key.StartsWith(prefix, StringComparison.Ordinal)).OrderBy(v => v.Key, StringComparer.Ordinal)
            .Select(v => string.Create(CultureInfo.InvariantCulture, $"{v.Key[prefix.Length..]} {v.Value:F4}"))];
        return sets.Length == 0 ? "" : $" ({string.Join(", ", sets)})";
    }

    private void ShowLineWhenDue(JobView view)
    {
        if (_lastLine != 0 && Stopwatch.GetElapsedTime(_lastLine) < LineInterval) { return; }
        Say(Line(view));
        _lastLine = Stopwatch.GetTimestamp();
    }

    public void Finish(RunReport report, string resumeCommand)
    {
        var table = new Table().NoBorder().HideHeaders().AddColumn("").AddColumn("");
        table.AddRow(report.State == JobState.Succeeded ? "[green]Succeeded[/]" : $"[red]{report.State}[/]", Markup.Escape(report.Reason));
        foreach (var (name, value) in report.Metrics.Listed())
        {
            table.AddRow(name, value?.ToString("G6", CultureInfo.InvariantCulture) ?? "not a finite number");
        }

        table.AddRow("rounds", string.Create(CultureInfo.InvariantCulture, $"{report.Rounds}, of which {report.SkippedRounds} skipped"));
        table.AddRow("samples", string.Create(CultureInfo.InvariantCulture, $"{report.SamplesSeen:N0} at {report.SamplesPerSecond:N0} a second"));
        table.AddRow("time", string.Create(CultureInfo.InvariantCulture, $"{report.WallSeconds:F1} s"));
        if (report.WeightsSha256 is not null) { table.AddRow("weights", report.WeightsSha256); }
        if (report.Checkpoint is not null) { table.AddRow("model", Markup.Escape(Path.Combine(report.Checkpoint, JobLayout.Model))); }
        foreach (var branch in report.Branches)
        {
            var model = branch is { State: JobState.Succeeded, Checkpoint: { } checkpoint } ? Path.Combine(checkpoint, JobLayout.Model) : $"{branch.State}: {branch.Reason}";
            table.AddRow(Markup.Escape($"release {branch.Release}"), Markup.Escape(model));
        }

        _console.Write(table);
        if (report.Checkpoint is not null && (report.State != JobState.Succeeded || report.Branches.Any(branch => branch.State != JobState.Succeeded)))
        {
            _console.WriteLine($"Go on with: {resumeCommand}");
        }
    }

    /// <summary>Round, loss, learning rate, clients, samples per second, time left.</summary>
    private string Line(JobView view)
    {
        var now = Stopwatch.GetElapsedTime(_began).TotalSeconds;
        if (_firstRound < 0) { (_firstRound, _firstRoundAt) = (view.Round, now); }

        var done = view.Round - _firstRound;
        var perSecond = done > 0 ? done / (now - _firstRoundAt) : 0;
        var samplesPerSecond = view.Round > 0 ? perSecond * view.SamplesSeen / view.Round : 0;
        var left = perSecond > 0 ? TimeSpan.FromSeconds((view.Rounds - view.Round) / perSecond) : (TimeSpan?)null;
        return string.Create(CultureInfo.InvariantCulture, $"{Bar(view.Round, view.Rounds)} round {view.Round}/{view.Rounds}  loss {Value(view, "loss"):F4}  lr {Value(view, "lr"):G3}{FederatedWords.OfRound(view.Metrics)}  {samplesPerSecond:N0} samples/s  {(left is { } time ? $"{time:h\\:mm\\:ss} left" : "")}{(view.SkippedRounds > 0 ? $"  {view.SkippedRounds} skipped" : "")}");
    }

    private static string Bar(long done, long of)
    {
        const int width = 24;
        var filled = (int)(width * done / Math.Max(1, of));
        return new string('━', filled) + new string('─', width - filled);
    }

    private static double Value(JobView view, string name) => view.Metrics.TryGetValue(name, out var value) ? value : double.NaN;
}
