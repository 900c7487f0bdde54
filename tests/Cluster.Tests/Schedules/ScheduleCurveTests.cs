using Cluster.Contracts.Lineage;
using Cluster.Contracts.Schedules;
using Cluster.Contracts.Spec.Continual;
using Cluster.Tests.Continual;
using Cluster.Trainer.Methods.Continual;

namespace Cluster.Tests.Schedules;

/// <summary>The planned rate over a job's rounds is the one that its updates get.</summary>
public sealed class ScheduleCurveTests
{
    [Fact]
    public void Every_round_that_updates_has_the_rate_of_the_method()
    {
        var spec = ContinualSamples.Read().Continual!;
        var plan = ContinualPlan.Of(spec);
        long[] lengths = [.. plan.Stages.Select(stage => stage.Updates)];
        var curve = ScheduleCurve.Of(spec);

        var expected = from round in Enumerable.Range(0, (int)plan.Rounds)
                       let at = Moment.At(plan, round)
                       where at.IsUpdate
                       let trunk = TrunkRate.At(at.Update, spec.Schedule, lengths)
                       select (round + 1L, at.Segment.Release is { } release ? Annealing.Rate((double)at.BranchUpdate / release.Updates, trunk, release.Min, release.Tail) : trunk);
        Assert.Equal(expected, curve.Rounds.Zip(curve.Rates));
        Assert.Equal(
            ["plays  1-6", "plays plays 8-10", "digits  12-13", "digits digits-8 15-16", "digits  18-20", "digits digits 22-23", "names  25-28"],
            curve.Spans.Select(span => $"{span.Stage} {span.Release} {span.First}-{span.Last}"));
    }

    [Fact]
    public void A_branch_apart_has_its_own_rounds_alone()
    {
        var spec = ContinualSamples.Read(ContinualSamples.Apart).Continual!;
        Assert.All(ScheduleCurve.Of(spec).Spans, span => Assert.Null(span.Release));
        var branch = ScheduleCurve.Of(spec with { BranchOf = new() { Job = "three-texts", Release = "plays", Checkpoint = "round-000000006" } });
        Assert.Equal([2L, 3, 4], branch.Rounds.AsEnumerable());
        Assert.Equal(4e-4, branch.Rates[^1]);
    }

    [Fact]
    public void However_long_the_job_it_has_some_hundred_points_with_the_ends_of_all_spans()
    {
        var sample = ContinualSamples.Read().Continual!;
        var curve = ScheduleCurve.Of(sample with { Stages = [.. sample.Stages.Select(stage => stage with { Updates = 1_000_000_000 })] });
        Assert.InRange(curve.Rounds.Length, 300, 420);
        Assert.Equal(curve.Rounds.Order(), curve.Rounds);
        Assert.All(curve.Spans, span => Assert.True(curve.Rounds.Contains(span.First) && curve.Rounds.Contains(span.Last)));
    }
}
