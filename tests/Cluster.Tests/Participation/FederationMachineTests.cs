using System.Collections.Immutable;
using Cluster.Contracts.Federation;
using Cluster.Grains.Federation;
using Xunit.Abstractions;

namespace Cluster.Tests.Participation;

/// <summary>The record of who was missing: what it keeps, what it refuses, and that it is bounded.</summary>
public sealed class FederationMachineTests(ITestOutputHelper output)
{
    private const int Sequences = 3_000;

    [Fact]
    public void What_was_decided_is_read_again()
    {
        var s = Record(Record(new(), 1, 7, "a"), 1, 3, "b", "c");
        Assert.Equal([3L, 7], FederationMachine.Page(s, 0, 500).Rounds.Select(round => round.Round));
        Assert.Equal([7L], FederationMachine.Page(s, 3, 500).Rounds.Select(round => round.Round));
        Assert.Equal([3L], FederationMachine.Page(s, 0, 1).Rounds.Select(round => round.Round));
        Assert.Equal((7, 2, 0), (FederationMachine.Page(s, 0, 1).Newest, s.Recorded, s.Revised));
    }

    [Fact]
    public void Saying_it_again_changes_nothing_and_another_decision_is_a_revision()
    {
        var s = Record(new(), 1, 7, "a");
        Assert.Same(s, FederationMachine.Record(s, 1, Round(7, "a")).State);

        var revised = Record(s, 2, 7, "a", "b");
        var round = Assert.Single(revised.Rounds);
        Assert.Equal((1, 1L, 1L), (round.Revision, revised.Recorded, revised.Revised));
        Assert.Equal(1, revised.Clients["a"].Absent); // Once for the round, however often it was decided.
        Assert.Equal(1, revised.Clients["b"].Absent);
    }

    [Fact]
    public void A_round_that_was_committed_with_all_and_cannot_be_so_again_is_a_revision()
    {
        var s = FederationMachine.Record(new(), 1, Round(7, "a") with { Revision = 1 }).State;
        Assert.Equal(1, s.Revised);
    }

    [Fact]
    public void A_generation_that_is_dead_records_nothing()
    {
        var s = FederationMachine.Begin(Record(new(), 1, 7, "a"), 3).State;
        var late = FederationMachine.Record(s, 2, Round(7, "b"));
        Assert.True(late.IsFenced);
        Assert.Same(s, late.State);
        Assert.True(FederationMachine.Begin(s, 2).IsFenced);
        Assert.Same(s, FederationMachine.Begin(s, 3).State);
    }

    [Fact]
    public void The_record_is_bounded_and_says_what_it_forgot()
    {
        var s = new FederationState();
        for (var round = 1; round <= FederationMachine.MaxRounds + 10; round++) { s = Record(s, 1, round, "a"); }
        Assert.Equal((FederationMachine.MaxRounds, 10L), (s.Rounds.Length, s.ForgottenThrough));
        Assert.Equal(FederationMachine.MaxRounds + 10, s.Clients["a"].Absent);

        string[] many = [.. Enumerable.Range(0, FederationMachine.MaxAbsences - 5).Select(i => $"c{i}")];
        s = Record(s, 1, 5_000, many);
        Assert.Equal(6, s.Rounds.Length);
        Assert.Equal(s.Rounds[0].Round - 1, s.ForgottenThrough);
        Assert.Equal(FederationMachine.MaxClients, s.Clients.Count);
        Assert.Equal(FederationMachine.MaxShownClients, FederationMachine.Page(s, 0, 1).Clients.Length);
        Assert.Equal("a", FederationMachine.Page(s, 0, 1).Clients[0].Client);

        s = Record(s, 1, 5_001, many);
        Assert.Equal([5_001L], s.Rounds.Select(round => round.Round));
    }

    /// <summary>Generations that come and go, with the tails of dead ones: the newest decision of a living generation holds.</summary>
    [Fact]
    public void Whatever_happens_the_newest_living_decision_is_what_is_read()
    {
        var revisions = 0L;
        for (var seed = 0; seed < Sequences; seed++)
        {
            var random = new Random(seed);
            var (s, newest) = (new FederationState(), 0L);
            var expected = new SortedDictionary<long, string>();
            for (var step = 0; step < 40; step++)
            {
                var generation = Math.Max(1, newest - random.Next(3) + random.Next(2));
                if (random.Next(4) == 0)
                {
                    s = FederationMachine.Begin(s, generation).State;
                    newest = Math.Max(newest, generation);
                    continue;
                }

                var (round, clients) = (random.Next(1, 12), Enumerable.Range(0, 5).Where(_ => random.Next(2) == 0).DefaultIfEmpty(9).Select(i => $"c{i}").ToArray());
                var before = s;
                var next = FederationMachine.Record(s, generation, Round(round, clients));
                s = next.State;
                Assert.True(next.IsFenced == generation < newest, $"seed {seed}, step {step}");
                if (next.IsFenced)
                {
                    Assert.Same(before, s);
                    continue;
                }

                newest = generation;
                expected[round] = string.Join(' ', clients);
                Assert.True(s.Rounds.Select(r => r.Round).SequenceEqual(expected.Keys), $"seed {seed}, step {step}");
            }

            Assert.Equal(expected.Values, FederationMachine.Page(s, 0, 500).Rounds.Select(round => string.Join(' ', round.Absences.Select(a => a.Client))));
            Assert.Equal(expected.Count, s.Recorded);
            Assert.Equal(s.Rounds.Sum(round => (long)round.Revision), s.Revised);
            revisions += s.Revised;
        }

        output.WriteLine($"{revisions} revisions");
        Assert.True(revisions > Sequences, "The run was worth nothing.");
    }

    private static FederationState Record(FederationState s, long generation, long round, params string[] clients) =>
        FederationMachine.Record(s, generation, Round(round, clients)).State;

    private static RoundAbsences Round(long round, params string[] clients) =>
        new(round, [.. clients.Select((client, i) => new Absence(i, client, AbsenceKind.Absent))]);
}
