using System.Collections.Immutable;
using Cluster.Contracts.Lineage;
using Cluster.Contracts.Spec.Continual;
using Cluster.Trainer.Core.Checkpoints;
using Cluster.Trainer.Methods.Continual;

namespace Cluster.Tests.Continual;

public sealed class LineageTests
{
    private static readonly ContinualSpec s_spec = ContinualSamples.Read().Continual!;

    private static string Story(ContinualSpec spec)
    {
        var lineage = new ContinualLineage(ContinualPlan.Of(spec), spec, tokensPerUpdate: 10);
        return string.Join('\n', Enumerable.Range(0, (int)ContinualPlan.Of(spec).Rounds + 1).Select(round => $"{round}: {Text(lineage.After(round))}"));

        static string Text(LineageNode n) =>
            $"{n.Kind} {n.Step}{(n.IsOnBranch ? $"+{n.BranchStep} {n.Release}" : "")} in {n.Stage}{(n.IsStageEnd && !n.IsOnBranch ? ", its end" : "")}, {n.Tokens} tokens, from {n.Origin?.ToString() ?? "nothing"}";
    }

    [Fact]
    public void Every_round_has_its_place() => Assert.Equal(
        """
        0: Trunk 0 in plays, 0 tokens, from nothing
        1: Trunk 1 in plays, 10 tokens, from nothing
        2: Trunk 2 in plays, 20 tokens, from nothing
        3: Trunk 3 in plays, 30 tokens, from nothing
        4: Trunk 4 in plays, 40 tokens, from nothing
        5: Trunk 5 in plays, 50 tokens, from nothing
        6: PreAnneal 6 in plays, its end, 60 tokens, from nothing
        7: Annealing 6+0 plays in plays, 60 tokens, from 6
        8: Annealing 6+1 plays in plays, 70 tokens, from 6
        9: Annealing 6+2 plays in plays, 80 tokens, from 6
        10: Release 6+3 plays in plays, 90 tokens, from 6
        11: Trunk 6 in plays, its end, 60 tokens, from 6
        12: Trunk 7 in digits, 70 tokens, from 6
        13: PreAnneal 8 in digits, 80 tokens, from 6
        14: Annealing 8+0 digits-8 in digits, 80 tokens, from 13
        15: Annealing 8+1 digits-8 in digits, 90 tokens, from 13
        16: Release 8+2 digits-8 in digits, 100 tokens, from 13
        17: Trunk 8 in digits, 80 tokens, from 13
        18: Trunk 9 in digits, 90 tokens, from 13
        19: Trunk 10 in digits, 100 tokens, from 13
        20: PreAnneal 11 in digits, its end, 110 tokens, from 13
        21: Annealing 11+0 digits in digits, 110 tokens, from 20
        22: Annealing 11+1 digits in digits, 120 tokens, from 20
        23: Release 11+2 digits in digits, 130 tokens, from 20
        24: Trunk 11 in digits, its end, 110 tokens, from 20
        25: Trunk 12 in names, 120 tokens, from 20
        26: Trunk 13 in names, 130 tokens, from 20
        27: Trunk 14 in names, 140 tokens, from 20
        28: PreAnneal 15 in names, its end, 150 tokens, from 20
        """, Story(s_spec));

    [Fact]
    public void A_stage_that_names_a_release_begins_from_it()
    {
        var spec = s_spec with { Releases = [], Stages = [.. s_spec.Stages.Select(stage => stage.Name == "digits" ? stage with { From = "plays" } : stage)] };
        Assert.Contains("11: Trunk 6 in plays, its end, 60 tokens, from 10\n12: Trunk 7 in digits, 70 tokens, from 10", Story(spec), StringComparison.Ordinal);
    }

    [Fact]
    public void A_checkpoint_follows_from_the_one_before_it_in_its_line()
    {
        var lineage = new ContinualLineage(ContinualPlan.Of(s_spec), s_spec, 10);
        var parents = new ParentLine(newest: null, newestNode: null);
        var found = new List<string>();
        foreach (var round in (long[])[4, 6, 8, 9, 10, 12, 13, 16, 18, 19])
        {
            found.Add($"{round} from {parents.Of(lineage.After(round)) ?? "nothing"}");
            parents.Saved($"round-{round:d9}", lineage.After(round));
        }

        Assert.Equal(
            [
                "4 from nothing", "6 from round-000000004", "8 from round-000000006", "9 from round-000000008", "10 from round-000000009",
                "12 from round-000000006", "13 from round-000000012", "16 from round-000000013", "18 from round-000000013", "19 from round-000000018",
            ], found);
    }

    /// <summary>Four evaluations of two stages, a peak between them, and one that was made twice.</summary>
    [Fact]
    public void The_matrix_has_the_release_of_each_stage_or_its_end()
    {
        EvaluationRecord[] evaluations =
        [
            Record(0, NodeKind.Trunk, "a", step: 0, end: false, 5.5, 5.6, 5.7),
            Record(6, NodeKind.PreAnneal, "a", step: 6, end: true, 2.5, 4.6, 4.7),
            Record(10, NodeKind.Release, "a", step: 6, end: true, 2.25, 4.5, 4.75),
            Record(12, NodeKind.Trunk, "b", step: 7, end: false, 3.75, 3, 4),
            Record(12, NodeKind.Trunk, "b", step: 7, end: false, 3.5, 3, 4),
            Record(13, NodeKind.PreAnneal, "b", step: 8, end: false, 3.25, 3, 4),
            Record(16, NodeKind.Release, "b", step: 8, end: false, 9, 9, 9),
            Record(20, NodeKind.PreAnneal, "b", step: 11, end: true, 3, 2, 4),
            Record(22, NodeKind.Trunk, "c", step: 12, end: false, 8, 8, 8),
        ];
        var matrix = ForgettingMatrix.Of(["a", "b", "c"], evaluations)!;

        Assert.Equal(["a", "b"], matrix.Stages.ToArray());
        Assert.Equal(["release r", "trunk"], matrix.After.ToArray());
        Assert.Equal([[2.25, 4.5], [3, 2]], matrix.Losses.Select(row => row.ToArray()));
        Assert.Equal([5.5, 5.6], matrix.Untrained!.Value.ToArray());
        Assert.Equal(3.5, matrix.Peaks[1][0]);
        Assert.True(double.IsNaN(matrix.Peaks[0][1]));
        Assert.Equal(0.75, matrix.OfLosses().Backward);
        Assert.Equal(4.5 - 5.6, matrix.OfLosses().Forward, 1e-12);
        Assert.Null(ForgettingMatrix.Of(["a"], evaluations[..1]));
    }

    private static EvaluationRecord Record(long round, NodeKind kind, string stage, long step, bool end, params double[] losses) => new(
        round, round, new LineageNode(kind, stage, kind == NodeKind.Release ? "r" : null, step, 0, 0, end, null),
        losses.Select((loss, i) => ($"{(char)('a' + i)}", loss)).ToImmutableSortedDictionary(x => x.Item1, x => new SetScore(x.loss, 0.5, 10)));
}
