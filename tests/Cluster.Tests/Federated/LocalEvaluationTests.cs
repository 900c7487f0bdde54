using System.Collections.Immutable;
using Cluster.Contracts.Spec;
using Cluster.Tests.Rounds;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Data.Clients;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Methods.FedHyper;
using Cluster.Trainer.Rounds;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Tests.Federated;

/// <summary>The global model on what the clients hold back: by rounds on ranks in one process, and by hand.</summary>
[Collection(TorchTests.Name)]
public sealed class LocalEvaluationTests
{
    private static readonly string[] s_held = ["federated.localEvaluation={share: 0.2}"];

    [Fact]
    public void Any_number_of_ranks_tells_the_same_of_the_clients()
    {
        var spec = FederatedJobs.Spec([.. s_held, "rounds=4", "evaluate.everyRounds=2"]);
        var one = Told(spec, 1)[0];
        Assert.Equal(2, one.Count);
        Assert.Equal(12, one[^1]["localEvalClients"]);
        Assert.NotEqual(one[0]["localEvalLoss"], one[1]["localEvalLoss"]);
        Assert.DoesNotContain(one[^1].Keys, key => key.Contains('.', StringComparison.Ordinal)); // Clients without a name of their own.
        foreach (var count in (int[])[2, 3])
        {
            Assert.All(Told(spec, count), rank => Assert.Equal(one.Select(Words), rank.Select(Words)));
        }
    }

    /// <summary>What the loop tells is what each client says, added up and sorted.</summary>
    [Fact]
    public void The_record_is_that_of_the_clients_one_by_one()
    {
        var spec = FederatedJobs.Spec([.. s_held, "rounds=2"]);
        using var method = FederatedJobs.Create(spec);
        var told = Ranks.Run(1, mesh =>
        {
            var recorder = new Recorder();
            using var loop = new RoundLoop(method, spec, recorder);
            loop.Run(mesh, () => default);
            return recorder.EvaluationValues;
        })[0];

        var data = FederatedData.Open(spec, [DataRoots.Shipped]);
        var each = Each(method);
        Assert.Equal(data.Clients.Select(client => (double)client.HeldBack.Length), each.Select(tally => tally.Samples));
        Assert.Equal(each.Sum(tally => tally.Correct) / each.Sum(tally => tally.Samples), told[^1]["localEvalAccuracy"], 12);
        Assert.Equal(each.Min(tally => tally.MeanLoss), told[^1]["localEvalLossMin"]);
        Assert.Equal(each.Max(tally => tally.MeanLoss), told[^1]["localEvalLossMax"]);
    }

    /// <summary>With the same weights the same numbers, whichever way the clients are trained.</summary>
    [Fact]
    public void Clients_that_are_trained_together_evaluate_as_one_by_one()
    {
        using var together = FederatedJobs.Create(FederatedJobs.Spec([.. s_held, "federated.clientsTogether=4"]));
        using var alone = FederatedJobs.Create(FederatedJobs.Spec([.. s_held, "federated.clientsTogether=1"]));
        FederatedJobs.Round(together, 0);
        foreach (var ((_, to), (_, from)) in alone.State.Buffers.Zip(together.State.Buffers)) { to.CopyFrom(from); }

        Assert.Equal(Each(together), Each(alone));
        FederatedJobs.Round(together, 1); // And training in between, which writes over the model, changes nothing.
        foreach (var ((_, to), (_, from)) in together.State.Buffers.Zip(alone.State.Buffers)) { to.CopyFrom(from); }
        Assert.Equal(Each(alone), Each(together));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void What_is_held_back_is_never_trained_on(int together)
    {
        var spec = FederatedJobs.Spec([.. s_held, $"federated.clientsTogether={together}", "federated.clientsPerRound=12"]);
        var data = FederatedData.Open(spec, [DataRoots.Shipped]);
        var seen = new HashSet<long>();
        using var method = new FederatedMethod(spec, data with { Clients = [.. data.Clients.Select(client => client with { Set = new WatchedSet(client.Set, seen) })] }, CPU);

        FederatedJobs.Round(method, 0);
        Assert.Equal(data.Clients.SelectMany(client => client.Samples).Order(), seen.Order()); // An epoch of all clients.
        seen.Clear();
        Each(method);
        Assert.Equal(data.Clients.SelectMany(client => client.HeldBack).Order(), seen.Order());
    }

    [Fact]
    public void A_share_of_every_client_is_held_back_within_its_limit()
    {
        var whole = FederatedData.Open(FederatedJobs.Spec(), [DataRoots.Shipped]);
        var data = FederatedData.Open(FederatedJobs.Spec(s_held), [DataRoots.Shipped]);
        Assert.All(whole.Clients.Zip(data.Clients), pair =>
        {
            Assert.Equal(pair.First.Samples.Order(), pair.Second.Samples.Concat(pair.Second.HeldBack).Order());
            Assert.Equal(pair.First.Samples.Length * 0.2, pair.Second.HeldBack.Length, 0.5);
        });
        Assert.Equal(whole.Evaluation.Count, data.Evaluation.Count);
    }

    [Theory]
    [InlineData(0, 0.2, 0)]
    [InlineData(1, 0.9, 0)]
    [InlineData(2, 0.001, 1)]
    [InlineData(3, 0.999, 2)]
    [InlineData(15, 0.1, 2)] // One and a half.
    [InlineData(1000, 0.25, 250)]
    public void So_many_are_held_back(int samples, double share, int expected)
    {
        long[] all = [.. Enumerable.Range(0, samples).Select(i => 7L * i)];
        var (train, evaluation) = HeldBack.Split(3, 5, all, share);
        Assert.Equal(expected, evaluation.Length);
        Assert.Equal(all, train.Concat(evaluation).Order());
        Assert.Equal(train.Order(), train); // In the order of the whole.
    }

    [Fact]
    public void Which_ones_follows_from_seed_and_client()
    {
        long[] all = [.. Enumerable.Range(0, 100).Select(i => (long)i)];
        long[] Held(long seed, int client) => HeldBack.Split(seed, client, all, 0.3).Evaluation;
        Assert.Equal(Held(1, 0), Held(1, 0));
        Assert.NotEqual(Held(1, 0), Held(1, 1));
        Assert.NotEqual(Held(1, 0), Held(2, 0));
        Assert.InRange(Held(1, 0).Average(), 30, 70); // From all over, not an end.
    }

    [Fact]
    public void The_spread_is_over_the_clients_and_the_mean_over_their_examples()
    {
        // Ten clients with accuracies 0.1 to 1 and losses 1 to 10; the last one has as many examples as all others together.
        Tally[] tallies = [.. Enumerable.Range(1, 10).Select(i => Result(weight: i == 10 ? 90 : 10, loss: 11 - i, accuracy: i / 10.0))];
        var values = LocalScores.Of(Clients(10), tallies);
        Assert.Equal(((0.1 + 0.2 + 0.3 + 0.4 + 0.5 + 0.6 + 0.7 + 0.8 + 0.9) * 10 + 90) / 180, values["localEvalAccuracy"], 12);
        Assert.Equal([0.1, 0.1, 0.5, 0.9, 1], Spread(values, "localEvalAccuracy"));
        Assert.Equal([1.0, 1, 5, 9, 10], Spread(values, "localEvalLoss"));
        Assert.Equal((10, 0, 0), Counts(values));

        values = LocalScores.Of(Clients(1), tallies[..1]);
        Assert.All(Spread(values, "localEvalAccuracy"), value => Assert.Equal(0.1, value));
    }

    [Fact]
    public void Who_is_absent_turned_bad_or_holds_nothing_has_no_part_in_it()
    {
        Tally[] tallies = [Result(10, 2, 0.5), default, Result(10, double.NaN, 0.1), new Tally(0, 0, 0, 0, Leaves: 1)];
        var values = LocalScores.Of(Clients(4, sites: true), tallies);
        Assert.Equal((1, 1, 1), Counts(values));
        Assert.Equal((2, 0.5), (values["localEvalLoss"], values["localEvalAccuracyMax"]));
        Assert.Equal([0.5, double.NaN, double.NaN, double.NaN], Enumerable.Range(0, 4).Select(i => values[$"localEvalAccuracy.site-{i}"]));

        values = LocalScores.Of(Clients(2), [default, default]);
        Assert.Equal(["localEvalClients", "localEvalClientsAbsent", "localEvalClientsLeftOut"], values.Keys.Order());
        Assert.Equal(2, values["localEvalClientsAbsent"]);
    }

    /// <summary>A record has room for 256 names.</summary>
    [Fact]
    public void Many_sites_fit_into_a_record() =>
        Assert.InRange(LocalScores.Of(Clients(4096, sites: true), [.. Enumerable.Repeat(Result(1, 1, 1), 4096)]).Count, 200, 250);

    private static List<ImmutableDictionary<string, double>>[] Told(JobSpec spec, int count)
    {
        var methods = Enumerable.Range(0, count).Select(_ => FederatedJobs.Create(spec)).ToArray();
        return Ranks.Run(count, mesh =>
        {
            using var method = methods[mesh.Rank];
            var recorder = new Recorder();
            using var loop = new RoundLoop(method, spec, recorder);
            Assert.IsType<LoopEnd.Finished>(loop.Run(mesh, () => default));
            return recorder.EvaluationValues;
        });
    }

    private static Tally[] Each(FederatedMethod method) => [.. method.EvaluationSets[1].Leaves.Select(leaf => method.Evaluate(method.EvaluationSets[1], leaf))];

    private static string Words(ImmutableDictionary<string, double> values) =>
        string.Join(", ", values.OrderBy(value => value.Key, StringComparer.Ordinal).Select(value => $"{value.Key} {BitConverter.DoubleToInt64Bits(value.Value):x}"));

    private static Leaf[] Clients(int count, bool sites = false) => [.. Enumerable.Range(0, count).Select(i => new Leaf(i, i, 1) { Site = sites ? $"site-{i}" : null })];

    private static Tally Result(double weight, double loss, double accuracy) => new(weight, weight, loss * weight, accuracy * weight, Leaves: 1);

    private static double[] Spread(ImmutableDictionary<string, double> values, string name) =>
        [.. ((string[])["Min", "Decile1", "Median", "Decile9", "Max"]).Select(part => values[name + part])];

    private static (double, double, double) Counts(ImmutableDictionary<string, double> values) =>
        (values["localEvalClients"], values["localEvalClientsLeftOut"], values["localEvalClientsAbsent"]);

    /// <summary>Tells which samples were asked for.</summary>
    private sealed class WatchedSet(IDataSet set, HashSet<long> seen) : IDataSet
    {
        public long Count => set.Count;

        public IReadOnlyList<long> InputShape => set.InputShape;

        public int Classes => set.Classes;

        public Batch Gather(ReadOnlySpan<long> samples, ulong seed, Device device)
        {
            foreach (var sample in samples) { seen.Add(sample); }
            return set.Gather(samples, seed, device);
        }
    }
}
