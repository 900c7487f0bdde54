using Cluster.Contracts.Spec.Continual;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Data;

namespace Cluster.Trainer.Methods.Continual;

/// <summary>
/// Which samples each batch has: a pure function of the segment and the number of the batch in it, so that the position in the
/// stream of data sets is one number, and a resumed job, or one with other workers, replays nothing.
/// <code>
///   stage k, batch b     N_j(b) samples of stage j are in the batches before it (see <see cref="Mixture"/>)
///   j = k                the next ones of the data set's own order: epoch after epoch, each a shuffle
///   j &lt; k                the next ones of a shuffle, again and again, of what the first pass has seen of j
///   branch               goes on in both from where the trunk is at the fork; the trunk does not see that it did
///   raised after n       the batches of the updates after n have more replay: N_j(b) = N_j(b_0) + N'_j(b - b_0), b_0 of them before n
/// </code>
/// </summary>
internal sealed class ContinualStream
{
    private readonly ContinualPlan _plan;
    private readonly int _batch;
    private readonly Run[][] _mixtures;           // By stage, in order; the first from batch 0.
    private readonly Mixture?[] _branches;        // By segment.
    private readonly SampleStream[] _firstPass;   // By stage.
    private readonly SampleStream[] _replay;      // By stage, over the places of the first pass.
    private readonly long[,] _replayedBefore;     // [k, j]: samples that the stages before k have replayed of j.

    /// <param name="counts">Training samples of each stage's data set.</param>
    /// <param name="raisedAfter">Updates of the trunk before its replay was raised to <see cref="DriftSpec.Share"/>; 0 where it was not.</param>
    public ContinualStream(ContinualPlan plan, ContinualSpec spec, int batch, long seed, IReadOnlyList<long> counts, long raisedAfter = 0)
    {
        (_plan, _batch, RaisedAfter) = (plan, batch, raisedAfter);
        string[] names = [.. plan.Stages.Select(stage => stage.Name)];
        _mixtures = [.. spec.Stages.Select((stage, k) => Runs(Mixture.Of(stage.Mixture, k, names[..(k + 1)]), k, raisedAfter > 0 ? spec.Drift!.Share!.Value : 0))];
        _branches = [.. plan.Segments.Select(segment => segment.Release is { } release ? Mixture.Of(release.Mixture, segment.Stage, names[..(segment.Stage + 1)]) : null)];
        _firstPass = [.. counts.Select((count, j) => new SampleStream((long)Seeds.Derive(seed, SeedPurpose.StageShuffle, j), count))];
        _replay = [.. counts.Select((count, j) => new SampleStream((long)Seeds.Derive(seed, SeedPurpose.Replay, j), Seen(j, count)))];
        _replayedBefore = new long[names.Length, names.Length];
        for (var k = 1; k < names.Length; k++)
        {
            for (var j = 0; j < k; j++) { _replayedBefore[k, j] = _replayedBefore[k - 1, j] + (j == k - 1 ? 0 : Drawn(_mixtures[k - 1], j, plan.Stages[k - 1].Updates)); }
        }
    }

    public long RaisedAfter { get; }

    /// <summary>A run of places of one batch, in parts by data set: its stage, and the numbers of its samples.</summary>
    /// <param name="segment">Of the plan.</param>
    /// <param name="index">Of the batch in the segment, from 0.</param>
    /// <param name="first">The first place, of 0 to B - 1.</param>
    public IReadOnlyList<(int Stage, long[] Samples)> Take(PlanSegment segment, long index, int first, int count)
    {
        var own = _mixtures[segment.Stage];
        var place = segment.Update - _plan.Stages[segment.Stage].Update; // Of the segment in its stage.
        var (mixture, before) = segment.Kind == SegmentKind.Branch
            ? new Run(_branches[_plan.Segments.IndexOf(segment)]!, place)
            : own.Last(run => run.First <= place + index);
        var batches = segment.Kind == SegmentKind.Branch ? index : place + index - before;

        var parts = new List<(int, long[])>();
        var begin = 0; // Where the source's samples begin in the batch: sources lie one after the other.
        for (var source = 0; source < mixture.Sources.Length; source++)
        {
            var inBatch = mixture.CountIn(source, batches, _batch);
            var (from, end) = (Math.Max(first, begin), Math.Min(first + count, begin + inBatch));
            if (from < end)
            {
                var stage = mixture.Sources[source].Stage;
                var drawn = _replayedBefore[segment.Stage, stage] + Drawn(own, stage, before) + mixture.CountUpTo(source, batches, _batch);
                parts.Add((stage, Numbers(stage, isReplay: stage < segment.Stage, drawn + from - begin, end - from)));
            }

            begin += inBatch;
        }

        return parts;
    }

    private long[] Numbers(int stage, bool isReplay, long position, int count)
    {
        var numbers = new long[count];
        if (!isReplay)
        {
            _firstPass[stage].Fill(position, numbers);
            return numbers;
        }

        _replay[stage].Fill(position, numbers);
        for (var i = 0; i < count; i++) { numbers[i] = _firstPass[stage].At(numbers[i]); }
        return numbers;
    }

    /// <summary>The stage's own mixture, and from the batch after the raise on a replay, where that is more.</summary>
    private Run[] Runs(Mixture own, int stage, double raisedShare)
    {
        if (raisedShare == 0 || stage == 0) { return [new(own, 0)]; }
        var raised = Mixture.Of(new MixtureSpec.Replay { Share = raisedShare }, stage, []);
        if (own.ReplaysAtLeast(raised, stage)) { return [new(own, 0)]; }
        var first = Math.Max(0, RaisedAfter - _plan.Stages[stage].Update);
        return first == 0 ? [new(raised, 0)] : [new(own, 0), new(raised, first)];
    }

    /// <summary>Samples of a stage in the first so many batches of another, or its own.</summary>
    private long Drawn(Run[] runs, int stage, long batches)
    {
        var drawn = 0L;
        foreach (var (i, run) in runs.Index())
        {
            var end = i + 1 < runs.Length ? Math.Min(batches, runs[i + 1].First) : batches;
            if (end > run.First) { drawn += run.Mixture.CountOf(stage, end - run.First, _batch); }
        }

        return drawn;
    }

    /// <summary>How much of a data set its own stage sees; one that it never sees is replayed from the whole.</summary>
    private long Seen(int stage, long count) => Drawn(_mixtures[stage], stage, _plan.Stages[stage].Updates) is > 0 and var seen ? Math.Min(seen, count) : count;

    /// <summary>Batches of a stage with one mixture.</summary>
    /// <param name="First">Its first batch, counted in the stage from 0.</param>
    private readonly record struct Run(Mixture Mixture, long First);
}
