using Cluster.Contracts.Spec;
using Cluster.Tests.Rounds;
using Cluster.Trainer.Core.Collectives;
using Cluster.Trainer.Core.Checkpoints;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Rounds;

namespace Cluster.Tests.ForwardForward;

/// <summary>Layers shared out among ranks: the bits of one process, whatever is lost, and whatever the mode before was.</summary>
[Collection(TorchTests.Name)]
public sealed class LayerParallelTests
{
    /// <summary>Four ragged leaves a round; barriers after 12 (evaluation), 16 (checkpoint), 24, 32, 36, 40, 45.</summary>
    private const string Digits = """
        name: layers
        method: forwardForward
        model: { kind: mlp, hidden: [40, 32, 24, 36, 20] }
        data: { kind: digits }
        batch: 70
        leaf: 20
        rounds: 45
        optimizer: { kind: sgd, momentum: 0.9, weightDecay: 0.001 }
        schedule: { lr: 0.01 }
        evaluate: { samples: 100, everyRounds: 12 }
        checkpoint: { everyRounds: 8 }
        forwardForward: { kind: dense, parallel: layers, negatives: randomLabel, label: prepend, peer: 0.03 }
        """;

    /// <summary>Peers, read-outs that see all layers, clipping layer by layer, moments that begin anew, fewer layers than ranks.</summary>
    [Theory]
    [InlineData("seed=1")]
    [InlineData("forwardForward.prediction=onePass", "clip={norm: 0.01}")]
    [InlineData("forwardForward={kind: dense, parallel: layers, negatives: hybrid, prediction: onePass}", "optimizer={kind: adam}")]
    [InlineData("model.hidden=[40, 32]", "forwardForward.loss=symba", "forwardForward.goodness=mean")]
    public void The_answer_is_that_of_one_process_on_2_3_and_4_ranks(params string[] changes)
    {
        var one = Jobs.Run(Jobs.Read(Digits, [.. changes, "forwardForward.parallel=data"]));
        Assert.Equal(45, one.Rounds);
        foreach (var ranks in (int[])[1, 2, 3, 4]) { Assert.Equal(one, Jobs.Run(Jobs.Read(Digits, changes), ranks)); }
    }

    [Fact]
    public void Moments_begin_anew_in_the_stage_that_says_so()
    {
        string[] stages = ["stages=[{rounds: 9, schedule: {lr: 0.01}}, {rounds: 12, moments: reset, schedule: {lr: 0.02}}]", "optimizer={kind: adam}"];
        var yaml = string.Join('\n', Digits.Split('\n').Where(line => !line.StartsWith("rounds", StringComparison.Ordinal) && !line.StartsWith("schedule", StringComparison.Ordinal)));
        Assert.Equal(Jobs.Run(Jobs.Read(yaml, [.. stages, "forwardForward.parallel=data"])), Jobs.Run(Jobs.Read(yaml, stages), ranks: 3));
    }

    [Fact]
    public void Data_parallel_and_layer_parallel_are_the_same_job() =>
        Assert.Equal(SpecHash.Of(Jobs.Read(Digits)), SpecHash.Of(Jobs.Read(Digits, "forwardForward.parallel=data")));

    /// <summary>Each layer tells the same as in one process; the runs tell of their queues and of what they sent up.</summary>
    [Fact]
    public void Rounds_are_told_as_one_process_tells_them()
    {
        var told = new[] { "data", "layers" }.Select(mode => Tell(Jobs.Read(Digits, $"forwardForward.parallel={mode}"), ranks: 2)).ToArray();
        Assert.Equal(Enumerable.Range(1, 45).Select(round => (long)round), told[1].Select(commit => commit.Round));
        foreach (var ((round, expected, values), (_, found, others)) in told[0].Zip(told[1]))
        {
            Assert.Equal((expected.Samples, expected.Weight, expected.Correct, expected.Leaves), (found.Samples, found.Weight, found.Correct, found.Leaves));
            Assert.Equal(expected.Loss, found.Loss, 1e-9 * expected.Loss);
            Assert.Equal(values, others.Where(value => !value.Key.EndsWith(".queue", StringComparison.Ordinal) && !value.Key.EndsWith(".bytesUp", StringComparison.Ordinal)).ToDictionary());
            Assert.Equal(values.Count + 2, others.Count);
            Assert.InRange(others.Single(value => value.Key.EndsWith(".queue", StringComparison.Ordinal)).Value, 0, Chain.Depth);
            Assert.InRange(others.Single(value => value.Key.EndsWith(".bytesUp", StringComparison.Ordinal)).Value, 1, 1e9);
        }
    }

    /// <summary>The upper rank is ten times as slow, by its clock: at the first barrier, the checkpoint after round 8, it gives layers to the lower one, and nothing else changes.</summary>
    [Fact]
    public void Layers_move_to_the_faster_rank()
    {
        var spec = Jobs.Read(Digits);
        var (tops, weights) = OnEach(2, spec, (mesh, method) =>
        {
            var told = new Recorder();
            using var loop = new RoundLoop(method, spec, told, new SteadyClock(TimeSpan.FromMilliseconds(mesh.Rank == 0 ? 1 : 10)));
            loop.Run(mesh, () => default);
            return (told.Values.Select(values => values.Keys.Single(key => key.EndsWith(".queue", StringComparison.Ordinal))).ToArray(), WeightsHash.Of(method.State.Layout, method.State.Buffers[0].Buffer));
        })[0];
        Assert.Equal(Enumerable.Repeat("layer1.queue", 8).Concat(Enumerable.Repeat("layer4.queue", 37)), tops);
        Assert.Equal(Jobs.Run(Jobs.Read(Digits, "forwardForward.parallel=data")).Weights, weights);
    }

    /// <summary>Ranks whose clocks run wild move layers at every barrier; nothing else changes, whatever the losses and however few the layers.</summary>
    [Theory]
    [InlineData("seed=1")]
    [InlineData("model.hidden=[40, 32]", "forwardForward.loss=symba", "forwardForward.goodness=mean")]
    [InlineData("forwardForward={kind: dense, parallel: layers, negatives: hybrid, prediction: onePass}", "optimizer={kind: adam}")]
    public void Layers_that_move_at_every_barrier_change_no_bit(params string[] changes)
    {
        var expected = Jobs.Run(Jobs.Read(Digits, [.. changes, "forwardForward.parallel=data"])).Weights;
        var spec = Jobs.Read(Digits, changes);
        for (var seed = 0; seed < 2; seed++)
        {
            foreach (var ranks in (int[])[2, 3, 4])
            {
                var weights = OnEach(ranks, spec, (mesh, method) =>
                {
                    using var loop = new RoundLoop(method, spec, new Recorder(), new WildClock(new Random((seed * 10) + mesh.Rank)));
                    loop.Run(mesh, () => default);
                    return WeightsHash.Of(method.State.Layout, method.State.Buffers[0].Buffer);
                });
                Assert.All(weights, hash => Assert.Equal(expected, hash));
            }
        }
    }

    /// <summary>A decay that makes every weight a hundred thousand times larger in each round, until squares leave the numbers: rounds are skipped as in one process, and the job ends with the same words and state.</summary>
    [Fact]
    public void A_round_that_is_not_finite_is_skipped_as_in_one_process()
    {
        string[] changes = ["optimizer={kind: sgd, weightDecay: 100}", "schedule={lr: 1000, decay: constant}", "nonFinite.maxSkips=3", "forwardForward.peer=0"];
        var one = Ended(Jobs.Read(Digits, [.. changes, "forwardForward.parallel=data"]), 1)[0];
        Assert.IsType<LoopEnd.TooManySkips>(one.End);
        Assert.InRange(one.Rounds, 4, 45); // There were good rounds before.
        Assert.All(Ended(Jobs.Read(Digits, changes), 3), rank => Assert.Equal(one, rank));
    }

    /// <summary>Ranks come, leave and are lost, modes change; the answer is the same.</summary>
    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4)]
    public void Whatever_happens_to_the_ranks_the_bits_are_the_same(int seed)
    {
        var random = new Random(seed);
        var expected = Jobs.Run(Jobs.Read(Digits, "forwardForward.parallel=data"));
        List<IRoundMethod> members = [Jobs.Method(Jobs.Read(Digits))];
        try
        {
            for (var ended = false; !ended;)
            {
                while (members.Count < 4 && random.Next(3) > 0) { members.Add(Jobs.Method(Jobs.Read(Digits, random.Next(4) == 0 ? "forwardForward.parallel=data" : "seed=1"))); }
                if (members.Any(member => !((ILayerwiseMethod)member).SharesLayers)) { members = SameMode(members, random); }
                var (until, lost) = (random.Next(1, 25), members.Count > 1 && random.Next(2) == 0 ? random.Next(members.Count) : -1);
                var ends = Ranks.Run(members.Count, mesh => Generation(mesh, members[mesh.Rank], Jobs.Read(Digits), until, isLost: mesh.Rank == lost));
                ended = ends.All(end => end is LoopEnd.Finished);
                if (lost >= 0 && !ended)
                {
                    members[lost].Dispose();
                    members.RemoveAt(lost);
                }
            }

            Assert.All(members, member => Assert.Equal(expected.Weights, WeightsHash.Of(member.State.Layout, member.State.Buffers[0].Buffer)));
        }
        finally
        {
            foreach (var member in members) { member.Dispose(); }
        }
    }

    /// <summary>A lost rank costs the rounds since the last barrier, and the others have that state, whole.</summary>
    [Fact]
    public void Survivors_have_the_state_of_the_last_barrier()
    {
        var spec = Jobs.Read(Digits, "evaluate={samples: 10}", "checkpoint.everyRounds=0");
        var methods = Enumerable.Range(0, 3).Select(_ => Jobs.Method(spec)).ToArray();
        Ranks.Run(3, mesh => Generation(mesh, methods[mesh.Rank], spec, until: 27, isLost: mesh.Rank == 1));
        Assert.All(methods, method => Assert.Equal(16, method.State.Counters["round"]));
        Assert.Equal(StateHash.Of(methods[0].State), StateHash.Of(methods[2].State));
        foreach (var method in methods) { method.Dispose(); }
    }

    /// <summary>One mode for all ranks of a generation, as one spec gives it.</summary>
    private static List<IRoundMethod> SameMode(List<IRoundMethod> members, Random random)
    {
        var spec = Jobs.Read(Digits, random.Next(2) == 0 ? "forwardForward.parallel=data" : "seed=1");
        return [.. members.Select(member =>
        {
            var other = Jobs.Method(spec);
            foreach (var name in member.State.Counters.Keys) { other.State.Counters[name] = 0; }
            StateParts.Copy(member.State, other.State);
            member.Dispose();
            return other;
        })];
    }

    private static LoopEnd? Generation(Mesh mesh, IRoundMethod method, JobSpec spec, int until, bool isLost)
    {
        var asked = 0;
        using var loop = new RoundLoop(method, spec, new Recorder());
        try
        {
            return loop.Run(mesh, () =>
            {
                if (++asked != until) { return new RoundWish(false, mesh.Generation); }
                if (isLost) { mesh.Abort("lost"); }
                return new RoundWish(false, mesh.Generation + 1);
            });
        }
        catch (MeshFaultException)
        {
            return null;
        }
    }

    private static (long Round, Trainer.Core.Tally Tally, Dictionary<string, double> Values)[] Tell(JobSpec spec, int ranks) => OnEach(ranks, spec, (mesh, method) =>
    {
        var told = new Recorder();
        using var loop = new RoundLoop(method, spec, told);
        loop.Run(mesh, () => default);
        return told.Commits.Zip(told.Values, (commit, values) => (commit.Round, commit.Tally, values.ToDictionary())).ToArray();
    })[0];

    private static (LoopEnd End, ulong State, long Rounds)[] Ended(JobSpec spec, int ranks) => OnEach(ranks, spec, (mesh, method) =>
    {
        using var loop = new RoundLoop(method, spec, new Recorder());
        var end = loop.Run(mesh, () => default);
        return (end, StateHash.Of(method.State), method.State.Counters["round"]);
    });

    /// <summary>Every look at it is so much later than the one before.</summary>
    private sealed class SteadyClock(TimeSpan step) : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now += step.Ticks;
    }

    /// <summary>Each look at it is later than the one before, by a millisecond to a hundred.</summary>
    private sealed class WildClock(Random random) : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now += TimeSpan.TicksPerMillisecond * (long)Math.Pow(10, 2 * random.NextDouble());
    }

    private static T[] OnEach<T>(int ranks, JobSpec spec, Func<Mesh, IRoundMethod, T> work)
    {
        var methods = Enumerable.Range(0, ranks).Select(_ => Jobs.Method(spec)).ToArray(); // Initial weights draw from torch's one generator.
        return Ranks.Run(ranks, mesh =>
        {
            using var method = methods[mesh.Rank];
            return work(mesh, method);
        });
    }
}
