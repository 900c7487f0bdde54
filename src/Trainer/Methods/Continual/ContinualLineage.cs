using Cluster.Contracts.Lineage;
using Cluster.Contracts.Spec.Continual;

namespace Cluster.Trainer.Methods.Continual;

/// <summary>Where the state after each round lies between trunk and branches: a pure function of the plan, which may be that of a branch alone.</summary>
/// <param name="tokensPerUpdate">Or samples, for images.</param>
internal sealed class ContinualLineage(ContinualPlan plan, ContinualSpec spec, long tokensPerUpdate)
{
    /// <param name="round">Rounds committed, from 0.</param>
    public LineageNode After(long round)
    {
        if (round == 0)
        {
            return plan.BranchOf is { } apart
                ? Node(NodeKind.Annealing, plan.Segments[0], apart.Update, branchStep: 0, apart.Round)
                : Node(NodeKind.Trunk, plan.Segments[0], step: 0, branchStep: 0, origin: null);
        }

        var last = Moment.At(plan, round - 1); // The round that made this state.
        var segment = last.Segment;
        if (!last.IsOnBranch)
        {
            var forksOrEnds = round == segment.EndRound;
            return Node(forksOrEnds ? NodeKind.PreAnneal : NodeKind.Trunk, segment, last.Update, branchStep: 0, Origin(segment));
        }

        var fork = ForkRound(segment);
        return last.IsReturn
            ? Node(NodeKind.Trunk, segment, segment.Update, branchStep: 0, GoesOn(segment) ? ReleaseRound(segment) : fork)
            : Node(last.BranchUpdate == segment.Release!.Updates ? NodeKind.Release : NodeKind.Annealing, segment, segment.Update, last.BranchUpdate, fork);
    }

    /// <summary>The trunk's round at which a branch forks; of several at one update, the same.</summary>
    private long ForkRound(PlanSegment branch)
    {
        if (plan.BranchOf is { } apart) { return apart.Round; }
        var index = plan.Segments.IndexOf(branch);
        while (plan.Segments[index].Kind == SegmentKind.Branch) { index--; }
        return plan.Segments[index].EndRound;
    }

    private static long ReleaseRound(PlanSegment branch) => branch.EndRound - 1;

    /// <summary>The state from which a run of the trunk goes on: where the one before ended, or the release that its stage names.</summary>
    private long? Origin(PlanSegment trunk)
    {
        var index = plan.Segments.IndexOf(trunk);
        if (index == 0) { return null; }
        var before = plan.Segments[index - 1];
        return before.Kind == SegmentKind.Trunk ? before.EndRound : GoesOn(before) ? ReleaseRound(before) : ForkRound(before);
    }

    private bool GoesOn(PlanSegment branch) => plan.SuccessorOf(branch, spec) is not null;

    private LineageNode Node(NodeKind kind, PlanSegment segment, long step, long branchStep, long? origin)
    {
        var stage = plan.Stages[segment.Stage];
        var isOnBranch = kind is NodeKind.Annealing or NodeKind.Release;
        return new(
            kind, stage.Name, isOnBranch ? segment.Release!.Name : null, step, branchStep, (step + branchStep) * tokensPerUpdate,
            IsStageEnd: step == stage.Update + stage.Updates, origin) { OriginJob = spec.BranchOf?.Job };
    }
}
