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
/// </code>
/// </summary>
internal sealed class ContinualStream
{
    private readonly ContinualPlan _plan;
    private readonly int _batch;
    private readonly Mixture[] _mixtures;         // By stage.
    private readonly Mixture?[] _branches;        // By segment.
    private readonly SampleStream[] _firstPass;   // By stage.
    private readonly SampleStream[] _replay;      // By stage, over the places of the first pass.
    private readonly long[,] _replayedBefore;     // [k, j]: samples that the stages before k have replayed of j.

    /// <param name="counts">Training samples of each stage's data set.</param>
    public ContinualStream(ContinualPlan plan, ContinualSpec spec, int batch, long seed, IReadOnlyList<long> counts)
    {
        (_plan, _batch) = (plan, batch);
        string[] names = [.. plan.Stages.Select(stage => stage.Name)];
        _mixtures = [.. spec.Stages.Select((stage, k) => Mixture.Of(stage.Mixture, k, names[..(k + 1)]))];
        _branches = [.. plan.Segments.Select(segment => segment.Release is { } release ? Mixture.Of(release.Mixture, segment.Stage, names[..(segment.Stage + 1)]) : null)];
        _firstPass = [.. counts.Select((count, j) => new SampleStream((long)Seeds.Derive(seed, SeedPurpose.StageShuffle, j), count))];
        _replay = [.. counts.Select((count, j) => new SampleStream((long)Seeds.Derive(seed, SeedPurpose.Replay, j), Seen(j, count)))];
        _replayedBefore = new long[names.Length, names.Length];
        for (var k = 1; k < names.Length; k++)
        {
            for (var j = 0; j < k; j++) { _replayedBefore[k, j] = _replayedBefore[k - 1, j] + (j == k - 1 ? 0 : Drawn(_mixtures[k - 1], j, plan.Stages[k - 1].Updates)); }
        }
    }

    /// <summary>A run of places of one batch, in parts by data set: its stage, and the numbers of its samples.</summary>
    /// <param name="segment">Of the plan.</param>
    /// <param name="index">Of the batch in the segment, from 0.</param>
    /// <param name="first">The first place, of 0 to B - 1.</param>
    public IReadOnlyList<(int Stage, long[] Samples)> Take(PlanSegment segment, long index, int first, int count)
    {
        var own = _mixtures[segment.Stage];
        var (mixture, batches, fork) = segment.Kind == SegmentKind.Branch
            ? (_branches[_plan.Segments.IndexOf(segment)]!, index, segment.Update - _plan.Stages[segment.Stage].Update)
            : (own, segment.Update - _plan.Stages[segment.Stage].Update + index, 0L);

        var parts = new List<(int, long[])>();
        var place = 0; // Where the source's samples begin in the batch: sources lie one after the other.
        for (var source = 0; source < mixture.Sources.Length; source++)
        {
            var inBatch = mixture.CountIn(source, batches, _batch);
            var (from, end) = (Math.Max(first, place), Math.Min(first + count, place + inBatch));
            if (from < end)
            {
                var stage = mixture.Sources[source].Stage;
                var drawn = _replayedBefore[segment.Stage, stage] + Drawn(own, stage, fork) + mixture.CountUpTo(source, batches, _batch);
                parts.Add((stage, Numbers(stage, isReplay: stage < segment.Stage, drawn + from - place, end - from)));
            }

            place += inBatch;
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

    /// <summary>Samples of a stage in the first so many batches of a mixture; 0 where it is no part of it.</summary>
    private long Drawn(Mixture mixture, int stage, long batches)
    {
        for (var source = 0; source < mixture.Sources.Length; source++)
        {
            if (mixture.Sources[source].Stage == stage) { return mixture.CountUpTo(source, batches, _batch); }
        }

        return 0;
    }

    /// <summary>How much of a data set its own stage sees; one that it never sees is replayed from the whole.</summary>
    private long Seen(int stage, long count) => Drawn(_mixtures[stage], stage, _plan.Stages[stage].Updates) is > 0 and var seen ? Math.Min(seen, count) : count;
}
