using System.Collections.Immutable;

namespace Cluster.Contracts.Spec.Continual;

public enum SegmentKind
{
    None = 0,

    /// <summary>Updates of the trunk, all in one stage.</summary>
    Trunk,

    /// <summary>
    /// A release: a round in which the trunk's state is set aside, updates of annealing, and a round in which it takes its place
    /// again. Those two have no leaves and nothing in them can fail, so no skipped update can lose the trunk. A branch that is a job of
    /// its own has no trunk to come back to, and ends with the last update.
    /// </summary>
    Branch,
}

/// <summary>Rounds that follow one another with the same mixture.</summary>
/// <param name="FirstRound">The job's round with which it begins.</param>
/// <param name="Rounds">Of a branch, two more than its updates; one more where it is a job of its own.</param>
/// <param name="Update">Updates of the trunk before it.</param>
/// <param name="Stage">Index of the stage in which it lies.</param>
/// <param name="Release">Of a branch.</param>
public sealed record PlanSegment(SegmentKind Kind, long FirstRound, long Rounds, long Update, int Stage, Release? Release)
{
    public long EndRound => FirstRound + Rounds;

    public bool IsTrunk => Kind == SegmentKind.Trunk;
}

/// <summary>A release in numbers.</summary>
/// <param name="Name">Unique in the job.</param>
/// <param name="Updates">t_a.</param>
/// <param name="Min">The rate of the last one.</param>
public sealed record Release(string Name, long Updates, double Min, AnnealTail Tail, MixtureSpec Mixture);

/// <summary>Where a release forks that anneals in a job of its own.</summary>
/// <param name="Round">Rounds of the trunk's job before it: the trunk's checkpoint after them is kept for it.</param>
/// <param name="Update">Updates of the trunk before it.</param>
/// <param name="Stage">Index of the stage in which it lies.</param>
public sealed record Fork(Release Release, long Round, long Update, int Stage, WorkersSpec Workers);

/// <summary>
/// A continual job as a sequence of rounds: trunk, branch, trunk, branch ... in the order in which one set of workers does them.
/// <code>
///   stage           english                    code
///   trunk       1 ......... 212          213 ........ 424         numbers of updates; they do not depend on releases
///   branch                  fork 1 ... 38             fork 1 ... 38
/// </code>
/// Of a release whose branch is apart, the trunk has its fork alone, which is no round; its branch is the plan of another job.
/// </summary>
/// <param name="Segments">In order, without gaps; the first begins with round 0.</param>
public sealed record ContinualPlan(ImmutableArray<PlanSegment> Segments, ImmutableArray<StageSpan> Stages)
{
    public long Rounds => Segments[^1].EndRound;

    /// <summary>Of the releases that anneal apart, in order.</summary>
    public ImmutableArray<Fork> Forks { get; init; } = [];

    /// <summary>Of a job that is such a branch, its fork in the trunk's plan; null otherwise.</summary>
    public Fork? BranchOf { get; init; }

    /// <param name="spec">Checked; of a continual job.</param>
    public static ContinualPlan Of(ContinualSpec spec)
    {
        var trunk = OfTrunk(spec);
        if (spec.BranchOf is not { } branch) { return trunk; }
        var fork = trunk.Forks.First(fork => fork.Release.Name == branch.Release);
        return new([new PlanSegment(SegmentKind.Branch, FirstRound: 0, fork.Release.Updates + 1, fork.Update, fork.Stage, fork.Release)], trunk.Stages) { BranchOf = fork };
    }

    private static ContinualPlan OfTrunk(ContinualSpec spec)
    {
        var forks = ImmutableArray.CreateBuilder<Fork>();
        var segments = ImmutableArray.CreateBuilder<PlanSegment>();
        var stages = ImmutableArray.CreateBuilder<StageSpan>();
        var (round, update) = (0L, 0L);
        foreach (var (index, stage) in spec.Stages.Index())
        {
            var end = update + stage.Updates;
            stages.Add(new StageSpan(stage.Name, update, stage.Updates));
            foreach (var (at, source, release) in ReleasesOf(spec, stage, update, end))
            {
                AddTrunk(at, index);
                if (source.Branch == BranchPlace.Apart)
                {
                    forks.Add(new Fork(release, round, update, index, source.Workers ?? new()));
                    continue;
                }

                segments.Add(new PlanSegment(SegmentKind.Branch, round, release.Updates + 2, update, index, release));
                round += release.Updates + 2;
            }

            AddTrunk(end, index);
        }

        return new(segments.ToImmutable(), stages.ToImmutable()) { Forks = forks.ToImmutable() };

        void AddTrunk(long end, int stage)
        {
            if (end == update) { return; }
            segments.Add(new PlanSegment(SegmentKind.Trunk, round, end - update, update, stage, Release: null));
            round += end - update;
            update = end;
        }
    }

    /// <summary>The segment of a round; the last one for what follows it.</summary>
    public PlanSegment At(long round)
    {
        var (low, high) = (0, Segments.Length - 1);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (round < Segments[middle].EndRound) { high = middle; } else { low = middle + 1; }
        }

        return Segments[low];
    }

    /// <summary>Whether the trunk's state after so many updates is kept: a stage ends there, or a release forks.</summary>
    public bool HasMilestone(long update) => Segments.Any(segment => segment.IsTrunk && segment.Update + segment.Rounds == update);

    /// <summary>Updates of the trunk in the first so many rounds; on a branch those before its fork.</summary>
    public long UpdatesAfter(long rounds)
    {
        if (rounds == 0) { return 0; }
        var last = At(rounds - 1);
        return last.Kind == SegmentKind.Branch ? last.Update : last.Update + (rounds - last.FirstRound);
    }

    /// <summary>
    /// How many rounds from the first are the same in both plans, so that a state after them is one of either. A stage or a release
    /// that is added changes none before its own first round, however the trunk is cut there.
    /// </summary>
    public static long Agreement(ContinualSpec a, ContinualSpec b)
    {
        var (planA, planB) = (Of(a), Of(b));
        var all = Math.Min(planA.Rounds, planB.Rounds);
        for (var round = 0L; round < all;)
        {
            var (x, y) = (planA.At(round), planB.At(round));
            var isSame = (x.Kind, x.Stage, x.Update - (x.IsTrunk ? x.FirstRound : 0)) == (y.Kind, y.Stage, y.Update - (y.IsTrunk ? y.FirstRound : 0))
                && a.Stages[x.Stage] with { Release = null } == b.Stages[y.Stage] with { Release = null }
                && (x.IsTrunk || (x.FirstRound, x.Release) == (y.FirstRound, y.Release));
            if (!isSame) { return round; }
            var isSameReturn = x.IsTrunk || (planA.SuccessorOf(x, a) is null) == (planB.SuccessorOf(y, b) is null);
            if (!isSameReturn) { return x.EndRound - 1; }
            round = Math.Min(x.EndRound, y.EndRound);
        }

        return all;
    }

    /// <summary>The stage that goes on from this branch's annealed weights, because it names the release; null where none does.</summary>
    public ContinualStageSpec? SuccessorOf(PlanSegment branch, ContinualSpec spec)
    {
        var next = Segments.IndexOf(branch) + 1;
        var stage = next < Segments.Length && Segments[next].Kind == SegmentKind.Trunk && Segments[next].Stage > branch.Stage ? spec.Stages[Segments[next].Stage] : null;
        return stage?.From == branch.Release!.Name ? stage : null;
    }

    /// <summary>Those that fork after an update in (start, end], by update; the stage's own is the last.</summary>
    private static (long At, ReleaseSpec Spec, Release Release)[] ReleasesOf(ContinualSpec spec, ContinualStageSpec stage, long start, long end)
    {
        var within = spec.Releases.Where(release => release.At > start && release.At <= end).OrderBy(release => release.At);
        return [.. within.Select(release => (release.At!.Value, release, Of(release))), .. stage.Release is { } own ? [(end, own, Of(own))] : Array.Empty<(long, ReleaseSpec, Release)>()];

        Release Of(ReleaseSpec release) => new(
            ReleaseNames.Of(release, stage), release.Updates, release.Min ?? RateChecks.MinOf(spec.Schedule)!.Value, release.Tail, release.Mixture ?? stage.Mixture);
    }
}

/// <param name="Name">Of the stage.</param>
/// <param name="Update">Updates of the trunk before it.</param>
/// <param name="Updates">Its own.</param>
public sealed record StageSpan(string Name, long Update, long Updates);
