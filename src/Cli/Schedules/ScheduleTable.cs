using Cluster.Cli.Plots;
using Cluster.Contracts;
using Cluster.Contracts.Schedules;
using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Continual;
using Cluster.Trainer.Core.Data;

namespace Cluster.Cli.Schedules;

/// <summary>A part of a job with a rate of its own: a stage, or a release beside it.</summary>
/// <param name="First">Number of its first update; of a release, the trunk's update after which it forks.</param>
/// <param name="Last">Number of its last one; of a release as if the trunk had gone on by as many.</param>
/// <param name="Rate">By update number, from <paramref name="First"/>.</param>
internal sealed record SchedulePart(string Name, long First, long Last, Func<long, double> Rate)
{
    private const int MaxPoints = 2000;

    /// <summary>At so many points that a plot shows every bend, the first and the last among them.</summary>
    public Curve ToCurve()
    {
        var points = (int)Math.Min(MaxPoints, Last - First + 1);
        long[] n = [.. Enumerable.Range(0, points).Select(i => points == 1 ? First : First + (long)((Int128)(Last - First) * i / (points - 1)))];
        return new Curve(Name, [.. n.Select(x => (double)x)], [.. n.Select(Rate)]);
    }
}

/// <summary>The learning rate of a whole job, before it runs.</summary>
internal static class ScheduleTable
{
    /// <param name="roots">Where data sets are looked for: lengths in epochs follow from their size.</param>
    /// <exception cref="BadInputException">The data are missing, or the method has no schedule.</exception>
    public static IReadOnlyList<SchedulePart> Of(JobSpec spec, IReadOnlyList<string> roots) => spec.Method switch
    {
        TrainingMethod.Lamb => OfStages(spec, roots),
        TrainingMethod.Continual => OfTrunk(spec.Continual!),
        TrainingMethod.ForwardForward when spec.ForwardForward is ForwardForwardSpec.Graph => throw new BadInputException(
            "layers on a graph learn one after the other, each as long as it gets better, at the one rate schedule.lr"),
        TrainingMethod.ForwardForward => OfStages(spec, roots), // Counted in updates of a layer; behind boxes the layers take turns.
        _ => throw new BadInputException($"method {SpecSummary.MethodOf(spec)} finds its learning rates while it trains and has no schedule"),
    };

    /// <summary>Updates are numbered from 0 in a stage's own count (see <see cref="Schedule"/>), and here from 1 over all stages.</summary>
    private static IReadOnlyList<SchedulePart> OfStages(JobSpec spec, IReadOnlyList<string> roots)
    {
        var plans = StagePlan.Of(spec, stage => DataSets.OpenFor(spec.Model, spec.Data!, roots, DataSplit.Train, stage.Sequence).Count);
        return [.. plans.Select(plan => new SchedulePart(
            plan.Name, plan.FirstRound + 1, plan.FirstRound + plan.Rounds,
            n => Schedule.Rate(plan, n - 1)))];
    }

    private static IReadOnlyList<SchedulePart> OfTrunk(ContinualSpec spec)
    {
        var plan = ContinualPlan.Of(spec);
        var rates = new ContinualRates(spec, plan);

        return
        [
            .. plan.Stages.Select(stage => new SchedulePart(stage.Name, stage.Update + 1, stage.Update + stage.Updates, rates.Trunk)),
            .. from branch in plan.Segments.Where(segment => !segment.IsTrunk).Select(segment => (Release: segment.Release!, Fork: segment.Update))
                   .Concat(plan.Forks.Select(fork => (fork.Release, Fork: fork.Update)))
               orderby branch.Fork
               let release = branch.Release
               let fork = branch.Fork
               select new SchedulePart(
                   $"release {release.Name}", fork, fork + release.Updates,
                   n => rates.Branch(release, fork, n - fork)),
        ];
    }
}
