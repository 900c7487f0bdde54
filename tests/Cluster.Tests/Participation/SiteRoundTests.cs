using System.Collections.Immutable;
using Cluster.Contracts;
using Cluster.Contracts.Federation;
using Cluster.Contracts.Spec;
using Cluster.Tests.Rounds;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Data.Clients;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Methods.FedHyper;
using Cluster.Trainer.Rounds;
using static TorchSharp.torch;

namespace Cluster.Tests.Participation;

/// <summary>Rounds whose clients are sites, on ranks in one process, each with the data of its own site alone.</summary>
[Collection(TorchTests.Name)]
public sealed class SiteRoundTests : IDisposable
{
    private readonly SiteData _data = new();

    [Fact]
    public void Whoever_has_which_rank_the_bits_are_those_of_all_data_in_one_place()
    {
        var spec = Spec(4);
        var expected = Run(spec, [new FederatedMethod(spec, _data.All(spec), CPU)], new FakeCrew((string?)null))[0];
        foreach (var sites in (string?[][])[[.. SiteData.Names], ["hospital-c", null, "hospital-a", "hospital-b"]])
        {
            var crew = new FakeCrew(sites);
            Assert.All(RunAt(spec, sites, crew), hash => Assert.Equal(expected, hash));
            Assert.Equal(["read 0"], crew.Calls);
        }
    }

    [Fact]
    public void A_site_that_is_away_misses_its_rounds_and_its_place_is_zeros()
    {
        var spec = Spec(3);
        var crew = new FakeCrew("hospital-a", "hospital-c");
        var without = RunAt(spec, crew.Sites, crew);
        Assert.Equal(["read 0", .. Enumerable.Range(0, 3).Select(round => $"record {round}: hospital-b Absent")], crew.Calls);

        // The same rounds where all are there again: what was decided holds.
        var again = new FakeCrew([.. SiteData.Names]) { Committed = 3 };
        foreach (var (round, absences) in crew.Absences) { again.Absences[round] = absences; }
        Assert.All(RunAt(spec, again.Sites, again), hash => Assert.Equal(without[0], hash));
        Assert.Equal(["read 0"], again.Calls);
    }

    [Fact]
    public void A_site_that_took_part_is_awaited_and_then_the_round_is_decided_anew()
    {
        var (spec, clock, waits) = (Spec(2), new ManualClock(), 0);
        var crew = new FakeCrew("hospital-a", "hospital-c")
        {
            Committed = 1,
            OnWait = () =>
            {
                waits++;
                clock.Advance(10);
            },
        };
        RunAt(spec, crew.Sites, crew, clock);
        Assert.Equal(6, waits); // Two ranks wait three times, each for ten seconds of the clock that they share: a minute.
        Assert.Equal(["read 0", "record 0: hospital-b Absent, a revision", "record 1: hospital-b Absent"], crew.Calls);
        Assert.Equal(["round 1 is not what it was before it was lost: hospital-b took part then, and could not be had again"], crew.Notices);
    }

    [Fact]
    public void While_there_is_no_quorum_the_job_waits_and_takes_up_whoever_comes()
    {
        var (spec, clock, waits) = (Spec(2), new ManualClock(), 0);
        var crew = new FakeCrew((string?)"hospital-a") { OnWait = () => waits++ };
        using var method = MethodAt(spec, "hospital-a");
        var end = Ranks.Run(1, mesh =>
        {
            using var loop = new RoundLoop(method, spec, new Recorder(), clock);
            return loop.Run(mesh, () => new RoundWish(false, waits < 3 ? mesh.Generation : mesh.Generation + 1), crew);
        })[0];
        Assert.IsType<LoopEnd.ChangedOver>(end);
        Assert.Equal((3, 0L), (waits, method.State.Counters["round"]));
    }

    [Fact]
    public void After_the_deadline_a_round_without_a_quorum_is_skipped()
    {
        var (spec, clock) = (Spec(1), new ManualClock());
        var crew = new FakeCrew((string?)"hospital-a") { OnWait = () => clock.Advance(30) };
        using var method = MethodAt(spec, "hospital-a");
        var told = new Recorder();
        Ranks.Run(1, mesh =>
        {
            using var loop = new RoundLoop(method, spec, told, clock);
            return loop.Run(mesh, () => default, crew);
        });
        Assert.Equal("1 of the 3 clients that it asked have reported, and federated.participation.quorum wants 2", Assert.Single(told.Commits).Skipped);
        Assert.Equal(["read 0", "record 0: hospital-b Absent, hospital-c Absent"], crew.Calls);
    }

    /// <summary>Each site on its own data; what is told of all is what all data in one place tell, and a site that is away is absent.</summary>
    [Fact]
    public void Sites_evaluate_the_model_on_what_they_hold_back()
    {
        var spec = Spec(2, "federated.localEvaluation={share: 0.2}");
        var expected = Told(spec, [new FederatedMethod(spec, _data.All(spec), CPU)], new FakeCrew((string?)null))[0];
        foreach (var sites in (string?[][])[[.. SiteData.Names], ["hospital-c", null, "hospital-a", "hospital-b"]])
        {
            Assert.All(Told(spec, [.. sites.Select(site => MethodAt(spec, site))], new FakeCrew(sites)), rank =>
            {
                Assert.Equal(expected.OrderBy(v => v.Key), rank.Where(v => !v.Key.Contains('.', StringComparison.Ordinal)).OrderBy(v => v.Key));
                var each = SiteData.Names.Select(site => rank[$"localEvalAccuracy.{site}"]).Order().ToArray();
                Assert.Equal((expected["localEvalAccuracyMin"], expected["localEvalAccuracyMedian"], expected["localEvalAccuracyMax"]), (each[0], each[1], each[2]));
            });
        }

        var crew = new FakeCrew("hospital-a", "hospital-c");
        var without = Told(spec, [.. crew.Sites.Select(site => MethodAt(spec, site))], crew);
        Assert.All(without, rank => Assert.Equal((2, 1, double.NaN), (rank["localEvalClients"], rank["localEvalClientsAbsent"], rank["localEvalLoss.hospital-b"])));
        Assert.All(without, rank => Assert.True(double.IsFinite(rank["localEvalLoss.hospital-c"])));
    }

    /// <summary>Not even the number of its samples is known elsewhere.</summary>
    [Fact]
    public void A_sites_data_are_read_at_the_site_alone()
    {
        var data = FederatedData.Open(Spec(1), [DataRoots.Shipped], _data.Folder("hospital-b"));
        Assert.Equal([0, 150, 0], data.Clients.Select(client => client.Samples.Length));
        Assert.Throws<InvalidOperationException>(() => data.Clients[0].Set.Gather([0], 0, CPU));
        Assert.Equal([0, 0, 0], FederatedData.Open(Spec(1), [DataRoots.Shipped]).Clients.Select(client => client.Samples.Length));
        Assert.Equal([0, 64, 0], FederatedData.Open(Spec(1, "federated.maxExamples=64"), [DataRoots.Shipped], _data.Folder("hospital-b")).Clients.Select(client => client.Samples.Length));
    }

    [Fact]
    public void A_site_without_data_says_so()
    {
        File.Delete(Path.Combine(_data.FolderOf("hospital-b"), "optdigits.tra"));
        var wrong = Assert.Throws<BadInputException>(() => FederatedData.Open(Spec(1), [DataRoots.Shipped], _data.Folder("hospital-b")));
        Assert.Contains(_data.FolderOf("hospital-b"), wrong.Message, StringComparison.Ordinal);
    }

    private ulong[] RunAt(JobSpec spec, IReadOnlyList<string?> sites, IRoundCrew crew, TimeProvider? clock = null) =>
        Run(spec, [.. sites.Select(site => MethodAt(spec, site))], crew, clock);

    private FederatedMethod MethodAt(JobSpec spec, string? site) => new(spec, [DataRoots.Shipped], CPU, site is null ? null : _data.Folder(site));

    private static ulong[] Run(JobSpec spec, FederatedMethod[] methods, IRoundCrew crew, TimeProvider? clock = null) => Ranks.Run(methods.Length, mesh =>
    {
        using var method = methods[mesh.Rank];
        using var loop = new RoundLoop(method, spec, new Recorder(), clock);
        Assert.IsType<LoopEnd.Finished>(loop.Run(mesh, () => default, crew));
        return StateHash.Of(method.State);
    });

    /// <summary>What the last evaluation told of the clients, by rank.</summary>
    private static ImmutableDictionary<string, double>[] Told(JobSpec spec, FederatedMethod[] methods, FakeCrew crew) => Ranks.Run(methods.Length, mesh =>
    {
        using var method = methods[mesh.Rank];
        var told = new Recorder();
        using var loop = new RoundLoop(method, spec, told);
        Assert.IsType<LoopEnd.Finished>(loop.Run(mesh, () => default, crew));
        return told.EvaluationValues[^1];
    });

    private static JobSpec Spec(int rounds, params string[] overrides) => SpecReader.Read(SiteData.Spec(rounds), "hospitals.yaml", overrides).Require();

    public void Dispose() => _data.Dispose();
}
