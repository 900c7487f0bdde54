using System.Runtime.InteropServices;
using Cluster.Contracts.Lineage;
using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Continual;
using Cluster.Tests.Rounds;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Methods.Continual;
using Cluster.Trainer.Rounds;
using static TorchSharp.torch;

namespace Cluster.Tests.Continual;

/// <summary>The method under the real loop, with a tiny GPT on three texts that ship.</summary>
[Collection(TorchTests.Name)]
public sealed class ContinualMethodTests
{
    private static ContinualMethod Method(JobSpec spec) => new(spec, [DataRoots.Shipped], CPU);

    /// <summary>Bits of the trunk: weights, moments, and the number of updates that the bias correction counts.</summary>
    private static (string Bits, long Updates) Trunk(ContinualMethod method) => (
        string.Concat(method.State.Buffers.Where(b => !b.Name.StartsWith("trunk.", StringComparison.Ordinal)).Select(b => Hash(b.Buffer))),
        method.State.Counters["updates"]);

    private static string Hash(FlatBuffer buffer) => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(MemoryMarshal.AsBytes(buffer.Span)));

    /// <summary>Runs to the end, or to a stop after so many rounds of this run.</summary>
    private static Recorder Run(JobSpec spec, ContinualMethod method, int rounds = int.MaxValue)
    {
        var told = new Recorder();
        Ranks.Run(1, mesh =>
        {
            using var loop = new RoundLoop(method, spec, told);
            return loop.Run(mesh, () => new RoundWish(Stop: told.Commits.Count + 1 >= rounds, Generation: 1));
        });
        return told;
    }

    private static (string, long) TrunkAfter(JobSpec spec)
    {
        using var method = Method(spec);
        Run(spec, method);
        return Trunk(method);
    }

    [Fact]
    public void The_trunk_is_the_same_bits_with_no_one_and_three_releases()
    {
        var expected = TrunkAfter(ContinualSamples.WithReleases());
        Assert.Equal(expected, TrunkAfter(ContinualSamples.WithReleases(15)));
        Assert.Equal(expected, TrunkAfter(ContinualSamples.WithReleases(3, 6, 11)));

        var other = ContinualSamples.WithReleases();
        Assert.NotEqual(expected, TrunkAfter(other with { Seed = 2 })); // The comparison sees a difference where there is one.
    }

    [Theory, InlineData(2), InlineData(3), InlineData(5)]
    public void Trunk_and_evaluations_are_the_same_bits_for_any_number_of_workers(int count)
    {
        var spec = ContinualSamples.Read();
        using var one = Method(spec);
        var expected = Run(spec, one);

        var methods = Enumerable.Range(0, count).Select(_ => Method(spec)).ToArray();
        var told = Ranks.Run(count, mesh =>
        {
            var recorder = new Recorder();
            using var loop = new RoundLoop(methods[mesh.Rank], spec, recorder);
            loop.Run(mesh, () => default);
            return recorder;
        });

        foreach (var (method, recorder) in methods.Zip(told))
        {
            Assert.Equal(Trunk(one), Trunk(method));
            Assert.Equal(expected.Commits, recorder.Commits);
            Assert.Equal(expected.Evaluations, recorder.Evaluations);
            method.Dispose();
        }
    }

    /// <summary>In every phase: within the trunk, before and after a fork, while annealing, before and after the return.</summary>
    [Theory, InlineData(4), InlineData(6), InlineData(7), InlineData(9), InlineData(10), InlineData(11), InlineData(12), InlineData(13)]
    public void A_run_that_goes_on_from_a_copy_of_its_state_gives_the_same_bits(int rounds)
    {
        var spec = ContinualSamples.Read();
        using var whole = Method(spec);
        var expected = Run(spec, whole);

        using var first = Method(spec);
        Run(spec, first, rounds);
        using var second = Method(spec);
        foreach (var ((_, from), (_, to)) in first.State.Buffers.Zip(second.State.Buffers)) { to.CopyFrom(from); }
        foreach (var (name, value) in first.State.Counters) { second.State.Counters[name] = value; }
        var rest = Run(spec, second);

        Assert.Equal(rounds, second.State.Counters["round"] - rest.Commits.Count);
        Assert.Equal(Trunk(whole), Trunk(second));
        Assert.Equal(expected.Commits[rounds..], rest.Commits);
    }

    [Fact]
    public void All_sets_are_evaluated_at_the_beginning_at_every_milestone_and_when_the_spec_says()
    {
        var spec = ContinualSamples.Read();
        using var method = Method(spec);
        var told = Run(spec, method);

        Assert.Equal(["plays", "digits", "names"], method.EvaluationSets.Select(set => set.Name));
        long[] expected = [0, 5, 6, 10, 13, 15, 16, 20, 23, 25, 28];
        Assert.Equal(expected.SelectMany(round => Enumerable.Repeat(round, 3)), told.Evaluations.Select(e => e.Round));
        Assert.All(told.Evaluations, e => Assert.InRange(e.Tally.Samples, 1, 24));
        Assert.All(told.Evaluations.Take(3), e => Assert.InRange(e.Tally.MeanLoss, Math.Log(256) - 0.2, Math.Log(256) + 0.2)); // Untrained.
        Assert.Equal(NodeKind.Release, method.NodeAfter(10)!.Kind);
    }

    /// <summary>Update n of the trunk has the rate of n; update j of t_a on a branch has F·(m/F)^(j/t_a), the last one exactly m.</summary>
    [Fact]
    public void Rates_are_those_of_the_schedule()
    {
        var spec = ContinualSamples.Read();
        using var method = Method(spec);
        var rates = new List<double>();
        Ranks.Run(1, mesh =>
        {
            using var loop = new RoundLoop(method, spec, new Rates(rates));
            return loop.Run(mesh, () => default);
        });

        Assert.Equal(28, rates.Count);
        Assert.Equal(1e-2 * 1 / 2.5, rates[0], 1e-15);
        Assert.Equal(4e-3, rates[5], 1e-15);
        Assert.Equal([4e-3 * Math.Pow(0.1, 1 / 3.0), 4e-3 * Math.Pow(0.1, 2 / 3.0), 4e-4], rates[7..10], (a, b) => Math.Abs(a - b) < 1e-15);
        Assert.Equal([2.5e-3, 1e-3], rates[14..16], (a, b) => Math.Abs(a - b) < 1e-15); // Linear, to its own min.
        Assert.All(rates[24..], rate => Assert.Equal(4e-3, rate));
    }

    [Theory]
    [InlineData("continual.stages[1].moments=reset", 9)]
    [InlineData("continual.stages[1].moments=keep", 15)]
    public void A_stage_may_begin_with_moments_at_zero(string change, long updates)
    {
        var spec = ContinualSamples.Read(change);
        using var method = Method(spec);
        Run(spec, method);
        Assert.Equal(updates, method.State.Counters["updates"]); // Of 6 + 5 + 4.
    }

    /// <summary>Only a stage that names a release goes on from it: with its moments, the trunk's, or none.</summary>
    [Theory]
    [InlineData("keep", false, 9)]
    [InlineData("restore", true, 6)]
    public void A_stage_that_names_a_release_goes_on_from_its_weights(string moments, bool trunkMoments, long updates)
    {
        var spec = ContinualSamples.Read("continual.releases=[]", "continual.stages[1].from=plays", $"continual.stages[1].moments={moments}");
        using var released = Method(spec);
        Run(spec, released, 10);
        using var trunk = Method(spec);
        Run(spec, trunk, 6);
        using var after = Method(spec);
        Run(spec, after, 11);

        Assert.Equal(Hash(released.State.Buffers[0].Buffer), Hash(after.State.Buffers[0].Buffer));
        Assert.Equal(Hash((trunkMoments ? trunk : released).State.Buffers[1].Buffer), Hash(after.State.Buffers[1].Buffer));
        Assert.Equal(updates, after.State.Counters["updates"]);
        Assert.NotEqual(Hash(released.State.Buffers[0].Buffer), Hash(trunk.State.Buffers[0].Buffer));
    }

    [Fact]
    public void After_a_release_the_trunk_is_where_it_was()
    {
        var spec = ContinualSamples.Read();
        using var before = Method(spec);
        Run(spec, before, 6);
        using var after = Method(spec);
        Run(spec, after, 11);
        Assert.Equal(Trunk(before), Trunk(after));
    }

    [Fact]
    public void Data_that_changed_since_they_were_recorded_are_refused()
    {
        using var folder = new Data.TemporaryFolder();
        var path = folder.Write("a.txt", new string('a', 1000));
        var stage = ContinualSamples.Read().Continual!.Stages[0] with { Data = new DataSpec.Text { Files = [path] } };
        var spec = ContinualSamples.Read();
        spec = DataRecord.Record(spec with { Continual = spec.Continual! with { Stages = [stage with { Release = null }], Releases = [] } }, []);
        Assert.Equal(1000, spec.Continual!.Stages[0].Bytes);
        Method(spec).Dispose();

        folder.Write("a.txt", new string('b', 1000));
        var refusal = Assert.Throws<Contracts.BadInputException>(() => Method(spec));
        Assert.Contains("stage 'plays': the data changed since they were recorded", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(spec.Continual.Stages[0].Sha256!, refusal.Message, StringComparison.Ordinal);
    }

    private sealed class Rates(List<double> rates) : IRoundObserver
    {
        public void Began(RoundCounters counters) { }

        public void LeavesComputed(int count) { }

        public void Committed(RoundCounters counters, in Trainer.Core.Tally tally, Trainer.Methods.RoundResult result, in RoundTimes times) => rates.Add(result.LearningRate);

        public void Evaluated(RoundCounters counters, IReadOnlyList<Trainer.Methods.Evaluation> evaluations, TimeSpan took) { }
    }
}
