using System.Collections.Immutable;

namespace Cluster.Contracts.Lineage;

/// <summary>What is known of each data set after each stage, from a job's evaluations.</summary>
/// <param name="Stages">In order; rows and columns below.</param>
/// <param name="After">What each row was measured on: <c>release NAME</c>, or <c>trunk</c> where the stage ended without one.</param>
/// <param name="Losses">L[i][j]: mean loss on stage j's data after stage i; NaN where it was not measured.</param>
/// <param name="Accuracies">R[i][j] in percent.</param>
/// <param name="Untrained">Losses before the first update, by stage; null where they were not measured. So is the next.</param>
/// <param name="UntrainedAccuracies">The same in percent.</param>
/// <param name="Peaks">
/// The highest loss on stage j's data while the trunk was in stage i, j before i, over the evaluations that were made; NaN elsewhere.
/// </param>
public sealed record ForgettingMatrix(
    ImmutableArray<string> Stages,
    ImmutableArray<string> After,
    ImmutableArray<ImmutableArray<double>> Losses,
    ImmutableArray<ImmutableArray<double>> Accuracies,
    ImmutableArray<double>? Untrained,
    ImmutableArray<double>? UntrainedAccuracies,
    ImmutableArray<ImmutableArray<double>> Peaks)
{
    /// <summary>Of losses: Backward is the forgetting.</summary>
    public TransferScores OfLosses() => TransferScores.Of([.. Losses], Untrained is { } b ? [.. b] : null, lowerIsBetter: true);

    /// <summary>In percent.</summary>
    public TransferScores OfAccuracies() => TransferScores.Of([.. Accuracies], UntrainedAccuracies is { } b ? [.. b] : null, lowerIsBetter: false);

    /// <summary>The matrix over the stages that have ended; null before the first has.</summary>
    /// <param name="stages">All of the job, in order.</param>
    /// <param name="evaluations">
    /// The trunk's in any order; of a round that was evaluated twice, the last counts. Those of branches that are jobs of their own, which count
    /// their own rounds, in the order of their forks.
    /// </param>
    public static ForgettingMatrix? Of(IReadOnlyList<string> stages, IEnumerable<EvaluationRecord> evaluations)
    {
        EvaluationRecord[] all =
        [
            .. evaluations.Where(e => e.Node is not null).GroupBy(e => (e.Node!.OriginJob, e.Node.Release, e.Round)).Select(round => round.Last())
                .OrderBy(e => e.Node!.OriginJob is null ? e.Round : long.MaxValue),
        ];
        EvaluationRecord?[] rows = [.. stages.Select(stage => EndOf(stage, all)).TakeWhile(row => row is not null)];
        if (rows.Length == 0) { return null; }

        ImmutableArray<string> ended = [.. stages.Take(rows.Length)];
        var untrained = all.FirstOrDefault(e => e.Round == 0);
        return new(
            ended,
            [.. rows.Select(row => row!.Node!.Release is { } release ? $"release {release}" : "trunk")],
            [.. rows.Select(row => Row(row!, ended, score => score.Loss))],
            [.. rows.Select(row => Row(row!, ended, score => 100 * score.Accuracy))],
            untrained is null ? null : Row(untrained, ended, score => score.Loss),
            untrained is null ? null : Row(untrained, ended, score => 100 * score.Accuracy),
            [.. ended.Select((stage, i) => PeaksIn(stage, i, ended, all))]);
    }

    /// <summary>A stage's release at its end, else the trunk there; null while it has not ended.</summary>
    private static EvaluationRecord? EndOf(string stage, EvaluationRecord[] all)
    {
        var ofStage = all.Where(e => e.Node!.Stage == stage && e.Node.IsMilestone).ToArray();
        var end = ofStage.LastOrDefault(e => e.Node!.Kind == NodeKind.PreAnneal && e.Node.IsStageEnd);
        return end is null ? null : ofStage.LastOrDefault(e => e.Node!.Kind == NodeKind.Release && e.Node.Step == end.Node!.Step) ?? end;
    }

    private static ImmutableArray<double> Row(EvaluationRecord record, ImmutableArray<string> stages, Func<SetScore, double> value) =>
        [.. stages.Select(stage => record.Scores.TryGetValue(stage, out var score) ? value(score) : double.NaN)];

    private static ImmutableArray<double> PeaksIn(string stage, int index, ImmutableArray<string> stages, EvaluationRecord[] all)
    {
        var during = all.Where(e => e.Node is { IsOnBranch: false } node && node.Stage == stage && node.Step > 0).ToArray();
        return
        [
            .. stages.Select((old, j) => j < index
                ? during.Where(e => e.Scores.ContainsKey(old)).Select(e => e.Scores[old].Loss).DefaultIfEmpty(double.NaN).Max()
                : double.NaN),
        ];
    }
}
