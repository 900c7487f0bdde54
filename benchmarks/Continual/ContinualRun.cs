using System.Collections.Immutable;
using Cluster.Contracts.Lineage;
using Cluster.Contracts.Spec.Continual;
using Cluster.Trainer.Core;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Methods.Continual;
using Cluster.Trainer.Rounds;

namespace Cluster.Benchmarks.Continual;

/// <summary>One job on one worker, through the production round loop; keeps its evaluations as a job's folder does.</summary>
internal sealed class ContinualRun : IRoundObserver
{
    private readonly List<EvaluationRecord> _evaluations = [];
    private readonly ContinualLineage _lineage;

    private ContinualRun(ContinualSpec spec) => _lineage = new ContinualLineage(ContinualPlan.Of(spec), spec, tokensPerUpdate: 0);

    /// <param name="folder">Where data are looked for, besides where they always are.</param>
    /// <param name="overrides">Settings on top of the cell's.</param>
    public static IReadOnlyList<EvaluationRecord> Of(ContinualCell cell, string folder, IEnumerable<string> overrides)
    {
        string[] settings = [.. cell.Settings(), .. overrides];
        var spec = ContinualTask.Of(cell.Task).Spec;
        var run = new ContinualRun(SoleWorker.Read(spec, settings).Continual!);
        SoleWorker.Run(spec, settings, run, folder);
        return run._evaluations;
    }

    void IRoundObserver.Began(RoundCounters counters) { }

    void IRoundObserver.LeavesComputed(int count) { }

    void IRoundObserver.Committed(RoundCounters counters, in Tally tally, RoundResult result, in RoundTimes times) { }

    void IRoundObserver.Evaluated(RoundCounters counters, IReadOnlyList<Evaluation> evaluations, TimeSpan took) => _evaluations.Add(new EvaluationRecord(
        counters.Round,
        counters.SamplesSeen,
        _lineage.After(counters.Round),
        evaluations.ToImmutableSortedDictionary(e => e.Set, e => new SetScore(e.Tally.MeanLoss, e.Tally.Accuracy, e.Tally.Weight))));
}
