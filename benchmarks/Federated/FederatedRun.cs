using Cluster.Trainer.Core;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Rounds;

namespace Cluster.Benchmarks.Federated;

/// <summary>One job on one worker, through the production round loop; keeps what every round gave.</summary>
internal sealed class FederatedRun : IRoundObserver
{
    private readonly List<FederatedPoint> _points = [];
    private IReadOnlyDictionary<string, double> _values = new Dictionary<string, double>();

    /// <param name="overrides">Settings on top of the cell's.</param>
    /// <returns>One point a round.</returns>
    public static IReadOnlyList<FederatedPoint> Of(FederatedCell cell, IEnumerable<string> overrides)
    {
        var task = FederatedTask.Of(cell.Task);
        string[] settings =
        [
            .. task.Settings, .. FederatedMethods.Settings(cell.Method, task.Window), $"seed={cell.Seed}",
            FormattableString.Invariant($"federated.localLr={cell.Beta}"), FormattableString.Invariant($"federated.globalLr={cell.Alpha}"),
            "nonFinite.maxSkips=1000000", .. overrides,
        ];
        var run = new FederatedRun();
        SoleWorker.Run(task.Spec, settings, run);
        return run._points;
    }

    void IRoundObserver.Began(RoundCounters counters) { }

    void IRoundObserver.LeavesComputed(int count) { }

    /// <summary>A round that was skipped leaves the values of the round before.</summary>
    void IRoundObserver.Committed(RoundCounters counters, in Tally tally, RoundResult result, in RoundTimes times)
    {
        if (result.Skipped is null) { _values = result.Values; }
    }

    void IRoundObserver.Evaluated(RoundCounters counters, IReadOnlyList<Evaluation> evaluations, TimeSpan took)
    {
        var tally = evaluations[0].Tally;
        _points.Add(new FederatedPoint(
            (int)counters.Round, tally.Accuracy, tally.MeanLoss,
            Value("globalLr"), Value("localLrMin"), Value("localLrMean"), Value("localLrMax")));
    }

    private double Value(string name) => _values.GetValueOrDefault(name, double.NaN);
}
