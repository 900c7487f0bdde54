using Cluster.Contracts.Spec.Continual;
using Cluster.Trainer.Core;

namespace Cluster.Trainer.Methods.Continual;

/// <summary>What a round of the job is: an update of the trunk, one of a branch, or the fork or return of a branch.</summary>
/// <param name="Index">Of the round in its segment, from 0.</param>
internal readonly record struct Moment(PlanSegment Segment, long Index)
{
    public static Moment At(ContinualPlan plan, long round)
    {
        var segment = plan.At(round);
        return new(segment, round - segment.FirstRound);
    }

    public bool IsOnBranch => Segment.Kind == SegmentKind.Branch;

    public bool IsFork => IsOnBranch && Index == 0;

    public bool IsReturn => IsOnBranch && Index == Segment.Release!.Updates + 1;

    public bool IsUpdate => !IsFork && !IsReturn;

    /// <summary>n: number of the trunk's update, from 1; on a branch that of its fork.</summary>
    public long Update => IsOnBranch ? Segment.Update : Segment.Update + Index + 1;

    /// <summary>j: number of the branch's update, from 1; 0 on the trunk.</summary>
    public long BranchUpdate => IsOnBranch ? Index : 0;

    /// <summary>Number of the batch in its segment, from 0.</summary>
    public long BatchIndex => IsOnBranch ? Index - 1 : Index;

    /// <summary>A seed of this update, by n on the trunk and by (n, j) on a branch: rounds would count the releases taken before.</summary>
    public ulong Chance(long seed, SeedPurpose purpose, long part = 0) => IsOnBranch
        ? Seeds.Derive((long)Seeds.Derive(seed, SeedPurpose.Branch, Update, BranchUpdate), purpose, BranchUpdate, part)
        : Seeds.Derive(seed, purpose, Update, part);
}
