using Cluster.Contracts.Federation;
using Cluster.Contracts.Spec;
using Cluster.Tests.Federated;
using Cluster.Tests.Rounds;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Data.Clients;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Methods.FedHyper;
using Cluster.Trainer.Rounds;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Tests.Participation;

/// <summary>Rounds without some of their clients: who counts, what is recorded, and that a round computed again is the same round.</summary>
[Collection(TorchTests.Name)]
public sealed class ParticipationTests
{
    private const string Policy = "federated.participation={overSampling: 1.5, quorum: 0.6, deadlineSeconds: 10}";

    [Fact]
    public void A_round_invites_more_clients_than_it_needs()
    {
        var spec = FederatedJobs.Spec(Policy);
        using var method = FederatedJobs.Create(spec);
        Assert.Equal((8, 3), (spec.Federated!.Invited, spec.Federated.Quorum)); // ceil(5 · 1.5), ceil(5 · 0.6)
        Assert.Equal(8, method.Leaves(0).Count);
        Assert.Equal((5, 5), (FederatedJobs.Spec().Federated!.Invited, FederatedJobs.Spec().Federated!.Quorum));
        var tenths = FederatedJobs.Spec("federated.clientsPerRound=10", "federated.participation={overSampling: 1.1, quorum: 0.7}").Federated!;
        Assert.Equal((11, 7), (tenths.Invited, tenths.Quorum)); // In binary 1.1 · 10 is more than 11.
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void The_others_round_is_what_it_would_be_if_the_late_one_had_not_been_asked(int together)
    {
        var spec = FederatedJobs.Spec(Policy, $"federated.clientsTogether={together}", "federated.localEpochs=2");
        var late = Cohort.Of(spec.Seed, 0, 12, 8)[5];
        using var slow = Slow(spec, late);
        using var others = FederatedJobs.Create(spec);

        var result = FederatedJobs.Round(slow, 0, slow.Leaves(0).Select(leaf => leaf with { HasDeadline = true }));
        // Trained together, a client holds up its group: those of it that are not done are late with it.
        var isLate = slow.Leaves(0).Select(leaf => leaf.First == late || (together > 1 && leaf.Index / together == 1)).ToArray();
        FederatedJobs.Round(others, 0, others.Leaves(0).Select(leaf => isLate[leaf.Index] ? leaf with { Absence = AbsenceKind.Late } : leaf));

        Assert.Null(result.Skipped);
        Assert.Equal(isLate.Count(x => x), result.Values["clientsLate"]);
        Assert.Equal(8 - isLate.Count(x => x), result.Values["clients"]);
        Assert.Equal(FederatedJobs.Weights(others), FederatedJobs.Weights(slow));
    }

    [Fact]
    public void Without_a_quorum_the_round_changes_nothing()
    {
        var spec = FederatedJobs.Spec(Policy);
        using var method = FederatedJobs.Create(spec);
        var before = StateHash.Of(method.State);
        var result = FederatedJobs.Round(method, 0, method.Leaves(0).Select(leaf => leaf.Index < 6 ? leaf with { Absence = AbsenceKind.Absent } : leaf));
        Assert.Equal("2 of the 8 clients that it asked have reported, and federated.participation.quorum wants 3", result.Skipped);
        Assert.Equal(before, StateHash.Of(method.State));
    }

    /// <summary>A late client is recorded before the round is committed; computed again, by other ranks and in good time, the round is the same.</summary>
    [Fact]
    public void A_round_computed_again_is_the_same_round()
    {
        var spec = FederatedJobs.Spec(Policy, "rounds=3", "federated.localEpochs=2", "federated.clientsTogether=1");
        var late = Cohort.Of(spec.Seed, 1, 12, 8)[2];
        var crew = new FakeCrew(null, null) { Unanswered = 3 };
        var first = Run(spec, 2, crew, late);
        Assert.Equal("read 0", crew.Calls[0]);
        Assert.Contains($"record 1: client-{late} Late", crew.Calls);
        Assert.All(first, hash => Assert.Equal(first[0], hash));

        foreach (var ranks in (int[])[1, 3])
        {
            var again = new FakeCrew(new string?[ranks]) { Committed = 3 };
            foreach (var (round, absences) in crew.Absences) { again.Absences[round] = absences; }
            Assert.All(Run(spec, ranks, again), hash => Assert.Equal(first[0], hash));
            Assert.Equal(["read 0"], again.Calls);
        }

        var punctual = new FakeCrew((string?)null);
        Assert.NotEqual(first[0], Run(spec, 1, punctual)[0]);
        Assert.Equal(["read 0"], punctual.Calls); // A round with everybody costs no call.
    }

    /// <summary>A round that was committed takes whatever its clients need.</summary>
    [Fact]
    public void Nobody_is_late_in_a_round_that_was_committed()
    {
        var spec = FederatedJobs.Spec(Policy, "rounds=2", "federated.localEpochs=2");
        var late = Cohort.Of(spec.Seed, 0, 12, 8)[2];
        var crew = new FakeCrew((string?)null) { Committed = 2 };
        Assert.Equal(Run(spec, 1, new FakeCrew((string?)null))[0], Run(spec, 1, crew, late)[0]);
        Assert.Equal(["read 0"], crew.Calls);
    }

    [Fact]
    public void A_job_without_a_deadline_asks_nobody()
    {
        var crew = new FakeCrew((string?)null);
        Run(FederatedJobs.Spec("rounds=2"), 1, crew);
        Assert.Empty(crew.Calls);
    }

    private static ulong[] Run(JobSpec spec, int ranks, IRoundCrew crew, params int[] late)
    {
        var methods = Enumerable.Range(0, ranks).Select(_ => Slow(spec, late)).ToArray(); // Initial weights draw from torch's one generator.
        return Ranks.Run(ranks, mesh =>
        {
            using var method = methods[mesh.Rank];
            using var loop = new RoundLoop(method, spec, new Recorder());
            Assert.IsType<LoopEnd.Finished>(loop.Run(mesh, () => default, crew));
            return StateHash.Of(method.State);
        });
    }

    /// <summary>Clients whose every batch takes a minute.</summary>
    private static FederatedMethod Slow(JobSpec spec, params int[] late)
    {
        var clock = new ManualClock();
        var data = FederatedData.Open(spec, [DataRoots.Shipped]);
        return new FederatedMethod(spec, data with { Clients = [.. data.Clients.Select((client, i) => late.Contains(i) ? client with { Set = new SlowSet(client.Set, clock) } : client)] }, CPU, clock);
    }

    private sealed class SlowSet(IDataSet set, ManualClock clock) : IDataSet
    {
        public long Count => set.Count;

        public IReadOnlyList<long> InputShape => set.InputShape;

        public int Classes => set.Classes;

        public Batch Gather(ReadOnlySpan<long> samples, ulong seed, Device device)
        {
            clock.Advance(60);
            return set.Gather(samples, seed, device);
        }
    }
}
