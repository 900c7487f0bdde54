using System.Collections.Immutable;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Collectives;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Rounds;

namespace Cluster.Tests.Rounds;

/// <summary>The loop with real meshes and a method of five floats: all ranks decide alike, and nothing but a good round moves the state.</summary>
public sealed class RoundLoopTests
{
    public static TheoryData<int> RankCounts => [1, 2, 3];

    /// <summary>A skip, were it applied, would leave NaN or another answer; the expected one never has the bad round's samples.</summary>
    [Theory, MemberData(nameof(RankCounts))]
    public void A_loss_that_is_not_finite_in_one_leaf_skips_the_round_on_all_ranks(int count)
    {
        var ranks = Run(count, _ => new QuadraticMethod(4) { LossIsNaN = (round, leaf) => round == 3 && leaf == 4 });

        foreach (var rank in ranks)
        {
            Assert.IsType<LoopEnd.Finished>(rank.End);
            Assert.Equal([null, null, null, "the loss is not finite"], rank.Told.Commits.Select(commit => commit.Skipped));
            Assert.Equal(3, rank.Method.Updates);
            AssertCounters(rank, round: 4, skipped: 1, inARow: 1, updates: 3);
        }

        AssertSameBuffers(Alone(3), ranks);
    }

    [Theory, MemberData(nameof(RankCounts))]
    public void A_gradient_that_is_not_finite_in_one_leaf_skips_the_round_on_all_ranks(int count)
    {
        var ranks = Run(count, _ => new QuadraticMethod(4) { GradientIsNaN = (round, leaf) => round == 3 && leaf == 6 });

        foreach (var rank in ranks)
        {
            Assert.IsType<LoopEnd.Finished>(rank.End);
            Assert.Equal([null, null, null, "the gradient is not finite"], rank.Told.Commits.Select(commit => commit.Skipped));
            AssertCounters(rank, round: 4, skipped: 1, inARow: 1, updates: 3);
        }

        AssertSameBuffers(Alone(3), ranks);
    }

    /// <summary>Two, a good one, three: with at most three in a row the first two must not count any more.</summary>
    [Theory, MemberData(nameof(RankCounts))]
    public void Too_many_skips_in_a_row_end_the_loop_and_a_good_round_counts_anew(int count)
    {
        var ranks = Run(count, _ => new QuadraticMethod(20) { LossIsNaN = (round, leaf) => leaf == 0 && round is 1 or 2 or 4 or 5 or 6 }, Spec with { NonFinite = new() { MaxSkips = 3 } });

        foreach (var rank in ranks)
        {
            var end = Assert.IsType<LoopEnd.TooManySkips>(rank.End);
            Assert.Contains("3 rounds in a row were skipped, the last (7) because the loss is not finite", end.Reason, StringComparison.Ordinal);
            Assert.Contains("nonFinite.maxSkips is 3", end.Reason, StringComparison.Ordinal);
            AssertCounters(rank, round: 7, skipped: 5, inARow: 3, updates: 2);
        }
    }

    [Theory, MemberData(nameof(RankCounts))]
    public void A_stop_wish_of_one_rank_stops_all_after_the_same_round(int count)
    {
        var ranks = Run(count, _ => new QuadraticMethod(20), wish: (rank, round) => new(Stop: rank == count / 2 && round == 3, Generation: 1));

        Assert.All(ranks, rank =>
        {
            Assert.IsType<LoopEnd.Stopped>(rank.End);
            AssertCounters(rank, round: 4, skipped: 0, inARow: 0, updates: 4);
        });
        AssertSameBuffers(Alone(4), ranks);
    }

    [Fact]
    public void A_stop_wish_in_the_last_round_changes_nothing()
    {
        var ranks = Run(2, _ => new QuadraticMethod(4), wish: (_, round) => new(Stop: round == 3, Generation: 1));
        Assert.All(ranks, rank => Assert.IsType<LoopEnd.Finished>(rank.End));
        Assert.All(ranks, rank => Assert.Equal(4, rank.Told.Evaluations.Single().Round));
    }

    /// <summary>Rank 1 has four rounds behind it, one of them skipped; the others begin with nothing, or with an older round.</summary>
    [Fact]
    public void Ranks_that_are_behind_take_buffers_and_counters_of_the_newest()
    {
        Func<long, int, bool> bad = (round, leaf) => round == 1 && leaf == 2;
        QuadraticMethod After(long rounds) => Run(1, _ => new QuadraticMethod(rounds) { LossIsNaN = bad })[0].Method;
        QuadraticMethod[] methods = [new QuadraticMethod(0), After(4), After(3)];
        foreach (var method in methods) { method.Rounds = 4; }

        var ranks = Run(3, rank => methods[rank]);

        foreach (var rank in ranks)
        {
            Assert.Equal(4, rank.Told.BeganAt);
            Assert.Empty(rank.Told.Commits);
            AssertCounters(rank, round: 4, skipped: 1, inARow: 0, updates: 3);
        }

        AssertSameBuffers(After(4), ranks);
    }

    [Fact]
    public void A_newcomer_changes_no_bit_of_the_answer()
    {
        var veteran = Alone(4);
        veteran.Rounds = 9;
        var ranks = Run(3, rank => rank == 2 ? veteran : new QuadraticMethod(9));
        Assert.All(ranks, rank => Assert.Equal(4, rank.Told.BeganAt));
        AssertSameBuffers(Alone(9), ranks);
    }

    [Theory, InlineData(2), InlineData(3)]
    public void Tallies_are_bit_for_bit_those_of_one_rank(int count)
    {
        var spec = Spec with { Evaluate = new() { EveryRounds = 2 } };
        var one = Run(1, _ => new QuadraticMethod(5), spec)[0];
        var ranks = Run(count, _ => new QuadraticMethod(5), spec);

        Assert.Equal([2, 4, 5], one.Told.Evaluations.Select(evaluation => evaluation.Round));
        Assert.All(one.Told.Evaluations, evaluation => Assert.Equal(44, evaluation.Tally.Samples));
        Assert.All(ranks, rank => Assert.Equal(one.Told.Evaluations, rank.Told.Evaluations));
        Assert.All(ranks, rank => Assert.Equal(one.Told.Commits, rank.Told.Commits));
        Assert.Equal(one.Told.LeavesComputed, ranks.Sum(rank => rank.Told.LeavesComputed));
        AssertSameBuffers(one.Method, ranks);
    }

    /// <summary>One rank hears of a newer generation: all leave theirs after the same round, and lose nothing.</summary>
    [Theory, MemberData(nameof(RankCounts))]
    public void Ranks_change_over_to_a_newer_generation_after_the_same_round(int count)
    {
        var spec = Spec with { Evaluate = new() { EveryRounds = 3 } };
        var ranks = Run(count, _ => new QuadraticMethod(7), spec, wish: (rank, round) => new(Stop: false, Generation: rank == count - 1 && round == 2 ? 9 : 1));

        Assert.All(ranks, rank => Assert.Equal(new LoopEnd.ChangedOver(9), rank.End));
        Assert.All(ranks, rank => AssertCounters(rank, round: 3, skipped: 0, inARow: 0, updates: 3));
        Assert.All(ranks, rank => Assert.Empty(rank.Told.Evaluations)); // That after round 3 is the next generation's.

        var more = Run(count + 1, rank => rank < count ? ranks[rank].Method : new QuadraticMethod(7), spec);
        Assert.All(more, rank => Assert.Equal([3, 6, 7], rank.Told.Evaluations.Select(evaluation => evaluation.Round)));
        AssertSameBuffers(Alone(7), more);
    }

    /// <summary>World sizes that come and go at random rounds, by change-over and by fault: weights and losses of the undisturbed run.</summary>
    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4), InlineData(5), InlineData(6), InlineData(7), InlineData(8)]
    public void No_schedule_of_joins_drains_and_losses_changes_a_bit(int seed)
    {
        const int rounds = 40;
        var undisturbed = Run(1, _ => new QuadraticMethod(rounds))[0];
        var random = new Random(seed);
        QuadraticMethod[] members = [new QuadraticMethod(rounds)];
        var losses = new SortedDictionary<long, Tally>();
        for (var ended = false; !ended;)
        {
            var until = random.Next(1, 9);
            var loses = members.Length > 1 && random.Next(3) == 0;
            var lost = random.Next(members.Length);
            var begin = members.Max(member => member.Counters.GetValueOrDefault("round"));
            var ran = Run(
                members.Length,
                rank => members[rank],
                wish: (_, commits) => new(Stop: false, Generation: !loses && commits == until ? 2 : 1),
                onRound: (mesh, round) => { if (loses && mesh.Rank == lost && round == begin + until) { mesh.Abort("lost"); } });
            foreach (var (round, tally, _) in ran.SelectMany(rank => rank.Told.Commits))
            {
                Assert.True(losses.TryAdd(round, tally) || losses[round] == tally, $"round {round} gave {tally} and {losses[round]} (seed {seed})");
            }

            ended = ran.All(rank => rank.End is LoopEnd.Finished);
            members = [.. members.Where((_, rank) => !(loses && rank == lost))];
            var size = random.Next(1, 5);
            members = size < members.Length ? members[..size] : [.. members, .. Enumerable.Range(0, size - members.Length).Select(_ => new QuadraticMethod(rounds))];
            if (ended) { AssertSameBuffers(undisturbed.Method, ran); }
        }

        Assert.Equal(undisturbed.Told.Commits.Select(commit => commit.Tally), losses.Values);
    }

    [Fact]
    public void Ranks_of_the_same_round_with_different_states_are_a_fault_that_names_the_rank()
    {
        var odd = Alone(3);
        odd.State.Buffers[1].Buffer.Span[4] += 1e-6f;
        var methods = new[] { Alone(3), odd };
        var fault = Ranks.Run(2, mesh => Loop(mesh, methods[mesh.Rank], Spec).Fault);

        Assert.All(fault, one => Assert.Equal((FaultKind.Differs, 1), (one?.Kind, one?.Rank)));
        Assert.Contains("round 3", fault[0]!.Reason, StringComparison.Ordinal);
    }

    /// <summary>A rank can be lost in the last evaluation, when every round is committed already.</summary>
    [Theory, MemberData(nameof(RankCounts))]
    public void A_generation_that_begins_after_the_last_round_evaluates(int count)
    {
        var once = Run(1, _ => new QuadraticMethod(4))[0];
        var ranks = Run(count, rank => rank == 0 ? once.Method : new QuadraticMethod(4));
        Assert.All(ranks, rank => Assert.IsType<LoopEnd.Finished>(rank.End));
        Assert.All(ranks, rank => Assert.Equal(once.Told.Evaluations, rank.Told.Evaluations));
    }

    [Theory, InlineData(2), InlineData(3)]
    public void A_lost_rank_leaves_the_others_at_the_last_committed_round_and_they_can_go_on(int count)
    {
        var ranks = Run(count, _ => new QuadraticMethod(8), onRound: (mesh, round) => { if (mesh.Rank == 1 && round == 3) { mesh.Abort("this rank ends"); } });

        var survivors = ranks.Where((_, rank) => rank != 1).ToArray();
        foreach (var survivor in survivors)
        {
            Assert.NotNull(survivor.Fault);
            AssertCounters(survivor, round: 3, skipped: 0, inARow: 0, updates: 3);
        }

        AssertSameBuffers(Alone(3), survivors);
        AssertSameBuffers(Alone(8), Run(survivors.Length, rank => survivors[rank].Method));
    }

    /// <summary>The worst moment: all have heard that the round is good, and the sum does not come.</summary>
    [Fact]
    public void A_rank_lost_between_header_and_sum_costs_that_round_alone()
    {
        var method = new QuadraticMethod(8);
        var fault = Ranks.Run(2, mesh =>
        {
            if (mesh.Rank == 0) { return Loop(mesh, method, Spec).Fault; }
            mesh.Gather(0, BitConverter.GetBytes(0L));
            mesh.Gather(0, BitConverter.GetBytes(StateHash.Of(Begun().State)));
            mesh.Gather(0, RoundHeader.Write(default, [], [.. new LeafRanges(method.Leaves(0).Count, 2).Nodes(1).Select(_ => new Tally(1, 1, 1, 0, 1))]));
            return null;
        })[0];

        Assert.NotNull(fault);
        Assert.Equal(1, fault.Rank);
        Assert.Equal(0, method.Updates);
        Assert.Equal(0, method.Counters["round"]);
        AssertSameBuffers(Alone(8), Run(2, rank => rank == 0 ? method : new QuadraticMethod(8)));
    }

    [Fact]
    public void A_header_with_the_wrong_number_of_tallies_is_a_fault_of_the_rank_that_sent_it()
    {
        var fault = Ranks.Run(2, mesh =>
        {
            if (mesh.Rank == 0) { return Loop(mesh, new QuadraticMethod(8), Spec).Fault; }
            mesh.Gather(0, BitConverter.GetBytes(0L));
            mesh.Gather(0, BitConverter.GetBytes(StateHash.Of(Begun().State)));
            mesh.Gather(0, RoundHeader.Write(default, [], []));
            return null;
        })[0];

        Assert.Equal((FaultKind.Corrupt, 1), (fault?.Kind, fault?.Rank));
    }

    /// <summary>Such a round is the method's own: nothing is reduced, nothing can be skipped, and all ranks commit it.</summary>
    [Theory, MemberData(nameof(RankCounts))]
    public void A_round_without_leaves_is_an_update_all_the_same(int count)
    {
        var ranks = Run(count, _ => new QuadraticMethod(5) { HasLeaves = round => round != 2 });

        Assert.All(ranks, rank => Assert.Equal([null, null, null, null, null], rank.Told.Commits.Select(commit => commit.Skipped)));
        Assert.All(ranks, rank => Assert.Equal(5, rank.Method.Updates));
        Assert.All(ranks, rank => Assert.Equal(4 * 20, rank.Method.Counters["samplesSeen"]));
        Assert.All(ranks, rank => Assert.Equal(ranks[0].Method.Buffers, rank.Method.Buffers));
    }

    /// <summary>Each set is a fold of its own; the order is the method's.</summary>
    [Theory, MemberData(nameof(RankCounts))]
    public void Every_set_is_evaluated(int count)
    {
        QuadraticMethod Two() => new(3) { EvaluationSets = [new("a", [new Leaf(0, 0, 4), new Leaf(1, 4, 4)]), new("b", [new Leaf(0, 100, 3)])] };
        var ranks = Run(count, _ => Two());
        Assert.All(ranks, rank => Assert.Equal([8.0, 3], rank.Told.Evaluations.Select(e => e.Tally.Samples)));
        Assert.All(ranks, rank => Assert.Equal(ranks[0].Told.Evaluations, rank.Told.Evaluations));
    }

    /// <summary>More leaves than one exchange holds, and each one's result on every rank, in order.</summary>
    [Theory, MemberData(nameof(RankCounts))]
    public void What_each_leaf_of_a_set_gave_is_known_everywhere(int count)
    {
        const int leaves = 2_500;
        QuadraticMethod Method() => new(1)
        {
            EvaluationSets =
            [
                new("", [new Leaf(0, 0, 4)]),
                new("each", [.. Enumerable.Range(0, leaves).Select(i => new Leaf(i, i, 1))])
                {
                    ValuesOf = tallies => tallies.Index().ToImmutableDictionary(t => $"{t.Index}", t => t.Item.Loss),
                },
            ],
        };
        var ranks = Run(count, _ => Method());
        Assert.All(ranks, rank => Assert.Equal([4.0, leaves], rank.Told.Evaluations.Select(e => e.Tally.Samples)));
        Assert.All(ranks, rank => Assert.Equal(
            Enumerable.Range(0, leaves).Select(i => rank.Method.Evaluate(rank.Method.EvaluationSets[1], new Leaf(i, i, 1)).Loss),
            Enumerable.Range(0, leaves).Select(i => rank.Told.EvaluationValues.Single()[$"{i}"])));
    }

    internal static JobSpec Spec { get; } = new()
    {
        Name = "quadratic",
        Method = TrainingMethod.Lamb,
        Model = new ModelSpec.LeNet(),
        Data = new DataSpec.Digits(),
    };

    private sealed record Ran(QuadraticMethod Method, Recorder Told, LoopEnd? End, MeshFault? Fault);

    private static Ran[] Run(int count, Func<int, QuadraticMethod> method, JobSpec? spec = null, Func<int, int, RoundWish>? wish = null, Action<Mesh, long>? onRound = null)
    {
        var methods = Enumerable.Range(0, count).Select(method).ToArray();
        return Ranks.Run(count, mesh => Loop(mesh, methods[mesh.Rank], spec ?? Spec, wish, onRound));
    }

    private static Ran Loop(Mesh mesh, QuadraticMethod method, JobSpec spec, Func<int, int, RoundWish>? wish = null, Action<Mesh, long>? onRound = null)
    {
        method.OnContribute = round => onRound?.Invoke(mesh, round);
        var told = new Recorder();
        using var loop = new RoundLoop(method, spec, told);
        try
        {
            return new Ran(method, told, loop.Run(mesh, () => wish?.Invoke(mesh.Rank, told.Commits.Count) ?? default), null);
        }
        catch (MeshFaultException lost)
        {
            return new Ran(method, told, null, lost.Fault);
        }
    }

    /// <summary>A method as the loop leaves it before the first round.</summary>
    private static QuadraticMethod Begun()
    {
        var method = new QuadraticMethod(8);
        _ = new RoundCounters(method.State.Counters);
        return method;
    }

    /// <summary>The state after so many rounds on one undisturbed rank.</summary>
    private static QuadraticMethod Alone(long rounds) => Run(1, _ => new QuadraticMethod(rounds))[0].Method;

    private static void AssertSameBuffers(QuadraticMethod expected, IEnumerable<Ran> ranks)
    {
        Assert.All(ranks, rank => Assert.Equal(expected.Buffers, rank.Method.Buffers));
        Assert.All(expected.Buffers, buffer => Assert.True(buffer.All(float.IsFinite) && buffer.Any(x => x != 0)));
    }

    private static void AssertCounters(Ran rank, long round, long skipped, long inARow, long updates)
    {
        var counters = rank.Method.Counters;
        Assert.Equal((round, skipped, inARow, updates), (counters["round"], counters["skipped"], counters["skippedInARow"], counters["updates"]));
        Assert.Equal(round * 20, counters["samplesSeen"]);
    }
}
