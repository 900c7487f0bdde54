using Cluster.Contracts.Spec.Continual;
using Cluster.Trainer.Methods.Continual;

namespace Cluster.Tests.Continual;

public sealed class ContinualStreamTests
{
    private const int Batch = 8;

    /// <summary>Enough for the first stage to see 48 of 60, for the second to begin a second epoch of 12, and for the third.</summary>
    private static readonly long[] s_counts = [60, 12, 100];

    private static readonly ContinualSpec s_spec = ContinualSamples.Read().Continual!;

    private static ContinualStream Stream(ContinualSpec? spec = null, long raisedAfter = 0) =>
        new(ContinualPlan.Of(spec ?? s_spec), spec ?? s_spec, Batch, seed: 5, s_counts[..(spec ?? s_spec).Stages.Count], raisedAfter);

    private static (int Stage, long Sample)[] Flat(IEnumerable<(int Stage, long[] Samples)> parts) => [.. parts.SelectMany(part => part.Samples.Select(sample => (part.Stage, sample)))];

    private static (int Stage, long Sample)[][] TrunkOf(ContinualSpec spec, long raisedAfter = 0)
    {
        var stream = Stream(spec, raisedAfter);
        return
        [
            .. from segment in ContinualPlan.Of(spec).Segments
               where segment.Kind == SegmentKind.Trunk
               from index in Enumerable.Range(0, (int)segment.Rounds)
               select Flat(stream.Take(segment, index, 0, Batch)),
        ];
    }

    [Fact]
    public void Every_batch_has_the_shares_of_its_mixture_exactly()
    {
        var batches = TrunkOf(s_spec);
        Assert.Equal(15, batches.Length);
        Assert.All(batches[..6], batch => Assert.Equal([(0, 8)], Shares(batch)));
        Assert.All(batches[6..11], batch => Assert.Equal([(0, 4), (1, 4)], Shares(batch)));
        Assert.All(batches[11..], batch => Assert.Equal([(0, 2), (2, 6)], Shares(batch)));
    }

    private static (int, int)[] Shares((int Stage, long Sample)[] batch) => [.. batch.GroupBy(x => x.Stage).OrderBy(g => g.Key).Select(g => (g.Key, g.Count()))];

    private static ContinualSpec Raising(double share) => ContinualSamples.Read(FormattableString.Invariant($"continual.drift={{delta: 0, threshold: 1, action: raiseReplay, share: {share}}}")).Continual!;

    /// <summary>After two updates of the second stage. What is taken of each data set goes on where it was, in the same order.</summary>
    [Fact]
    public void Replay_that_was_raised_holds_from_the_next_batch_on_and_loses_no_sample()
    {
        var (plain, raised) = (TrunkOf(s_spec), TrunkOf(Raising(0.75), raisedAfter: 8));
        Assert.Equal(plain[..8], raised[..8]);
        Assert.All(raised[8..11], batch => Assert.Equal([(0, 6), (1, 2)], Shares(batch)));
        Assert.All(raised[11..], batch => Assert.Equal([(0, 3), (1, 3), (2, 2)], Shares(batch)));
        foreach (var stage in (int[])[0, 1])
        {
            long[] Taken((int Stage, long Sample)[][] batches) => [.. batches[6..11].SelectMany(batch => batch).Where(x => x.Stage == stage).Select(x => x.Sample)];
            var both = Math.Min(Taken(plain).Length, Taken(raised).Length);
            Assert.Equal(Taken(plain)[..both], Taken(raised)[..both]);
        }

        int[] leaves = [3, 3, 2];
        var segment = ContinualPlan.Of(s_spec).At(14); // The trunk from its ninth update on, after two releases of 5 and 4 rounds.
        var cut = leaves.Select((count, i) => Flat(Stream(Raising(0.75), 8).Take(segment, 1, leaves[..i].Sum(), count)));
        Assert.Equal(Flat(Stream(Raising(0.75), 8).Take(segment, 1, 0, Batch)), cut.SelectMany(part => part));
    }

    [Fact]
    public void A_mixture_that_replays_as_much_already_stays() => Assert.Equal(TrunkOf(s_spec), TrunkOf(Raising(0.25), raisedAfter: 3));

    /// <summary>However a batch is cut into leaves, it has the same samples.</summary>
    [Theory, InlineData(1), InlineData(3), InlineData(5), InlineData(8)]
    public void A_batch_does_not_depend_on_how_it_is_cut(int leaf)
    {
        var (plan, stream) = (ContinualPlan.Of(s_spec), Stream());
        foreach (var segment in plan.Segments)
        {
            for (var index = 0; index < 2; index++)
            {
                var whole = Flat(stream.Take(segment, index, 0, Batch));
                var cut = Enumerable.Range(0, (Batch + leaf - 1) / leaf).SelectMany(i => Flat(stream.Take(segment, index, i * leaf, Math.Min(leaf, Batch - (i * leaf)))));
                Assert.Equal(whole, cut);
            }
        }
    }

    /// <summary>An epoch has every sample once, and the next one begins where it ends.</summary>
    [Fact]
    public void The_first_pass_goes_through_the_data_epoch_by_epoch()
    {
        var second = TrunkOf(s_spec)[6..11].SelectMany(batch => batch.Where(x => x.Stage == 1).Select(x => x.Sample)).ToArray();
        Assert.Equal(20, second.Length);
        Assert.Equal(Enumerable.Range(0, 12).Select(i => (long)i), second[..12].Order());
        Assert.Equal(8, second[12..].Distinct().Count());
    }

    /// <summary>A replay shows what the first pass has shown, each sample once before any comes again, and goes on over stages.</summary>
    [Fact]
    public void A_replay_goes_through_what_was_seen()
    {
        var batches = TrunkOf(s_spec);
        var seen = batches[..6].SelectMany(batch => batch.Select(x => x.Sample)).ToArray();
        var replayed = batches[6..].SelectMany(batch => batch.Where(x => x.Stage == 0).Select(x => x.Sample)).ToArray();

        Assert.Equal(48, seen.Distinct().Count());
        Assert.Equal(28, replayed.Length);
        Assert.Equal(28, replayed.Distinct().Count());
        Assert.Empty(replayed.Except(seen));
        Assert.NotEqual(seen[..20], replayed[..20]);
    }

    [Fact]
    public void The_trunk_has_the_same_samples_whatever_is_released()
    {
        var expected = TrunkOf(ContinualSamples.WithReleases().Continual!);
        foreach (var releases in (long[][])[[15], [3, 6, 11], [1, 2, 3, 4, 5, 6, 7]])
        {
            Assert.Equal(expected, TrunkOf(ContinualSamples.WithReleases(releases).Continual!));
        }
    }

    [Fact]
    public void A_later_stage_changes_nothing_before_it() =>
        Assert.Equal(TrunkOf(s_spec)[..11], TrunkOf(s_spec with { Stages = [.. s_spec.Stages.Take(2)] }));

    /// <summary>What a branch sees first is what the trunk sees next: it goes on from the fork, in its own mixture.</summary>
    [Fact]
    public void A_branch_goes_on_from_the_fork()
    {
        var spec = ContinualSamples.WithReleases(3).Continual!;
        var (plan, stream) = (ContinualPlan.Of(spec), Stream(spec));
        var branch = plan.Segments.Single(segment => segment.Kind == SegmentKind.Branch);
        var trunk = TrunkOf(spec);
        Assert.Equal(trunk[3], Flat(stream.Take(branch, 0, 0, Batch)));
        Assert.Equal(trunk[4], Flat(stream.Take(branch, 1, 0, Batch)));
    }
}
