using Cluster.Contracts.Federation;
using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Federated;
using Cluster.Tests.Rounds;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Data.Clients;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Methods.FedHyper;
using Cluster.Trainer.Methods.Lamb;
using Cluster.Trainer.Rounds;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Tests.Federated;

/// <summary>Rounds of clients: what they add up to, where they equal something plain, and who is left out.</summary>
[Collection(TorchTests.Name)]
public sealed class FederatedMethodTests
{
    [Theory]
    [InlineData("{kind: fedHyper, variant: g+cl}", "{kind: fedAvg}", 1)]
    [InlineData("{kind: fedHyper, variant: g+cl}", "{kind: fedAvg}", 5)]
    [InlineData("{kind: fedHyper, variant: sl}", "{kind: fedAdam, lr: 0.01}", 2)]
    [InlineData("{kind: fedHyper, mode: released, variant: cl}", "{kind: fedAvg}", 3)]
    [InlineData("{kind: fedExp}", "{kind: fedAvg}", 4)]
    public void Any_number_of_ranks_gives_the_same_bits(string scheduler, string server, int together)
    {
        var spec = FederatedJobs.Spec($"federated.scheduler={scheduler}", $"federated.server={server}", $"federated.clientsTogether={together}", "rounds=4");
        var one = Hashes(spec, 1);
        foreach (var count in (int[])[2, 3, 5]) { Assert.All(Hashes(spec, count), hash => Assert.Equal(one[0], hash)); }

        static ulong[] Hashes(JobSpec spec, int count)
        {
            var methods = Enumerable.Range(0, count).Select(_ => FederatedJobs.Create(spec)).ToArray(); // Initial weights draw from torch's one generator.
            return Ranks.Run(count, mesh =>
            {
                using var method = methods[mesh.Rank];
                using var loop = new RoundLoop(method, spec, new Recorder());
                Assert.IsType<LoopEnd.Finished>(loop.Run(mesh, () => default));
                return StateHash.Of(method.State);
            });
        }
    }

    /// <summary>All that must survive is in the state: another worker, given that alone, goes on to the same bits.</summary>
    [Theory]
    [InlineData("{kind: fedHyper, variant: g+sl}", "{kind: fedAvgM}")]
    [InlineData("{kind: fedHyper, mode: released, variant: sl}", "{kind: fedAvg}")]
    [InlineData("{kind: decay, factor: 0.9, rate: both}", "{kind: fedAdagrad}")]
    public void A_method_given_the_state_of_another_goes_on_as_it_would(string scheduler, string server)
    {
        var spec = FederatedJobs.Spec($"federated.scheduler={scheduler}", $"federated.server={server}");
        using var whole = FederatedJobs.Create(spec);
        for (var round = 0; round < 4; round++) { FederatedJobs.Round(whole, round); }

        using var first = FederatedJobs.Create(spec);
        for (var round = 0; round < 2; round++) { FederatedJobs.Round(first, round); }
        using var second = FederatedJobs.Create(spec);
        foreach (var ((_, to), (_, from)) in second.State.Buffers.Zip(first.State.Buffers)) { to.CopyFrom(from); }
        foreach (var (name, value) in first.State.Counters) { second.State.Counters[name] = value; }
        for (var round = 2; round < 4; round++) { FederatedJobs.Round(second, round); }

        Assert.Equal(StateHash.Of(whole.State), StateHash.Of(second.State));
    }

    /// <summary>One client that holds everything and makes one step of the whole: gradient descent on all data.</summary>
    [Fact]
    public void One_client_and_one_step_is_gradient_descent()
    {
        var spec = FederatedJobs.Spec(
            "federated.partition={kind: iid, clients: 1}", "federated.clientsPerRound=1", "federated.localEpochs=null", "federated.localSteps=1",
            "federated.localBatch=3823", "federated.maxExamples=null", "federated.scheduler={kind: constant}");
        var plain = SpecReader.Read(
            """
            name: plain
            method: lamb
            model: {kind: mlp, hidden: [16]}
            data: {kind: digits}
            batch: 3823
            leaf: 3823
            rounds: 8
            optimizer: {kind: sgd, momentum: 0, weightDecay: 0}
            schedule: {lr: 0.02, decay: constant}
            """, "plain.yaml").Require();
        using var federated = FederatedJobs.Create(spec);
        using var descent = new LargeBatchMethod(plain, [DataRoots.Shipped], CPU);
        for (var round = 0; round < 8; round++)
        {
            FederatedJobs.Round(federated, round);
            using var gradient = new FlatBuffer(descent.ContributionLength);
            var tally = descent.Contribute(round, descent.Leaves(round)[0], gradient);
            descent.Update(round, gradient, tally);
        }

        AssertClose(descent.State.Buffers[0].Buffer.Span.ToArray(), FederatedJobs.Weights(federated), 1e-6);
    }

    /// <summary>With no room to move, the scheduler changes nothing: FedAvg, bit for bit.</summary>
    [Theory]
    [InlineData("{kind: fedHyper, variant: g, globalGamma: 1}")]
    [InlineData("{kind: fedHyper, variant: g+cl, globalGamma: 1, localGamma: 1}")]
    [InlineData("{kind: fedHyper, variant: g+sl, globalGamma: 1, localGamma: 1}")]
    [InlineData("{kind: decay, factor: 1, rate: both}")]
    public void A_scheduler_that_cannot_move_is_plain_averaging(string scheduler) =>
        Assert.Equal(WeightsAfter(3, "federated.scheduler={kind: constant}"), WeightsAfter(3, $"federated.scheduler={scheduler}"));

    [Fact]
    public void Weights_by_examples_and_uniform_differ_as_the_clients_sizes_do()
    {
        Assert.NotEqual(WeightsAfter(2, "federated.weighting=examples"), WeightsAfter(2, "federated.weighting=uniform"));
        string[] even = ["federated.partition={kind: iid, clients: 12}", "federated.scheduler={kind: constant}"];
        AssertClose(WeightsAfter(2, [.. even, "federated.weighting=examples"]), WeightsAfter(2, [.. even, "federated.weighting=uniform"]), 1e-6);
    }

    /// <summary>FedProx holds clients near the global model: the larger μ, the smaller their changes.</summary>
    [Fact]
    public void A_proximal_term_shortens_the_clients_way()
    {
        double[] norms = [.. ((string[])["0", "1", "10"]).Select(mu =>
        {
            using var method = FederatedJobs.Create(FederatedJobs.Spec($"federated.proximal={mu}", "federated.localEpochs=5", "federated.scheduler={kind: constant}"));
            return FederatedJobs.Round(method, 0).GradientNorm;
        })];
        Assert.True(norms[0] > norms[1] && norms[1] > norms[2], string.Join(", ", norms));
    }

    /// <summary>The others' round is what it would be if the client had never been asked.</summary>
    [Fact]
    public void A_client_that_turns_bad_is_left_out_and_named()
    {
        var spec = FederatedJobs.Spec("federated.scheduler={kind: fedHyper, variant: g+cl}", "federated.participation={quorum: 0.6}"); // The others' rounds alone.
        var data = FederatedData.Open(spec, [DataRoots.Shipped]);
        int[] cohort = Cohort.Of(spec.Seed, 0, 12, 5);
        using var poisoned = new FederatedMethod(spec, FederatedJobs.Poisoned(data, cohort[1], cohort[3]), CPU);
        using var healthy = new FederatedMethod(spec, data, CPU);
        var leaves = healthy.Leaves(0);

        var result = FederatedJobs.Round(poisoned, 0);
        FederatedJobs.Round(healthy, 0, [leaves[0], leaves[2], leaves[4]]);

        Assert.Null(result.Skipped);
        Assert.Equal(FederatedJobs.Weights(healthy), FederatedJobs.Weights(poisoned));
        Assert.Equal(
            $"client 'client-{cohort[1]}' was left out: its loss in local step 0 is not finite\nclient 'client-{cohort[3]}' was left out: its loss in local step 0 is not finite",
            string.Join('\n', result.Notices));
        Assert.Equal((3, 2), (result.Values["clients"], result.Values["clientsLeftOut"]));
        ClientPart[] parts =
        [
            new($"client-{cohort[1]}", PartKind.LeftOut), new($"client-{cohort[3]}", PartKind.LeftOut),
            new($"client-{cohort[0]}", PartKind.TookPart), new($"client-{cohort[2]}", PartKind.TookPart), new($"client-{cohort[4]}", PartKind.TookPart),
        ];
        Assert.Equal(parts, result.Clients!.Value.AsEnumerable());
        Assert.All(result.Values, value => Assert.True(double.IsFinite(value.Value), value.Key));
    }

    [Fact]
    public void A_client_whose_steps_blow_up_is_left_out_too()
    {
        using var method = FederatedJobs.Create(FederatedJobs.Spec("federated.localLr=1e6", "federated.scheduler={kind: constant}", "federated.localOptimizer={kind: sgd, weightDecay: 1000}", "federated.localEpochs=9"));
        var result = FederatedJobs.Round(method, 0);
        Assert.NotEmpty(result.Notices);
        Assert.All(result.Notices, notice => Assert.Contains("is not finite", notice, StringComparison.Ordinal));
    }

    [Fact]
    public void A_round_without_a_usable_client_changes_nothing()
    {
        var spec = FederatedJobs.Spec();
        var data = FederatedData.Open(spec, [DataRoots.Shipped]);
        using var method = new FederatedMethod(spec, FederatedJobs.Poisoned(data, Cohort.Of(spec.Seed, 1, 12, 5)), CPU);
        FederatedJobs.Round(method, 0);
        var before = StateHash.Of(method.State);

        var result = FederatedJobs.Round(method, 1);

        Assert.Equal("no client's change can be used", result.Skipped);
        Assert.Equal(5, result.Notices.Length);
        Assert.Equal(before, StateHash.Of(method.State));
    }

    [Fact]
    public void A_rounds_record_tells_rates_products_and_traffic()
    {
        using var method = FederatedJobs.Create(FederatedJobs.Spec("federated.scheduler={kind: fedHyper, variant: g+cl, localWindow: {low: 0.001, high: 0.5}}"));
        var first = FederatedJobs.Round(method, 0);
        var second = FederatedJobs.Round(method, 1);

        Assert.DoesNotContain("updateProduct", first.Values.Keys);
        Assert.Equal(1, first.Values["globalLr"]);
        Assert.Equal(1 + second.Values["updateProduct"], second.Values["globalLr"], 12);
        Assert.InRange(second.Values["updateCosine"], -1, 1);
        Assert.Equal(0.02, second.Values["localLr"]);
        Assert.True(second.Values["localLrMin"] <= second.Values["localLrMean"] && second.Values["localLrMean"] <= second.Values["localLrMax"]);
        Assert.InRange(second.Values["localLrMedian"], second.Values["localLrMin"], second.Values["localLrMax"]);
        Assert.NotEqual(second.Values["localLrMin"], second.Values["localLrMax"]);
        Assert.Equal(5, second.Values["clients"]);

        const int model = ((64 * 16) + 16 + (16 * 10) + 10) * sizeof(float);
        Assert.Equal((5.0 * model, 2 * 5.0 * model), (second.Values["bytesUp"], second.Values["bytesDown"])); // CL needs D(t-1) beside w(t).
        Assert.InRange(second.Values.Count, 10, 60);
        Assert.Equal(0.02, second.LearningRate);
    }

    /// <summary>Statistics of batch normalisation are averaged like weights, and no part of the products.</summary>
    [Fact]
    public void Running_statistics_are_the_weighted_mean_of_the_clients()
    {
        var spec = FederatedJobs.Spec("model={kind: resnet, blocksPerGroup: 1, width: 4}", "federated.clientsPerRound=2", "federated.globalLr=0.5", "federated.scheduler={kind: constant}", "federated.participation={quorum: 0.5}");
        var leaves = FederatedJobs.Create(spec).Leaves(0);
        float[] Statistics(params Leaf[] of)
        {
            using var method = FederatedJobs.Create(spec);
            FederatedJobs.Round(method, 0, of);
            return FederatedJobs.Weights(method)[(int)method.State.Layout.ParameterLength..];
        }

        using var sizes = FederatedJobs.Create(spec);
        var data = FederatedData.Open(spec, [DataRoots.Shipped]);
        var (a, b) = (data.Clients[(int)leaves[0].First].Samples.Length, data.Clients[(int)leaves[1].First].Samples.Length);
        var expected = Statistics(leaves[0]).Zip(Statistics(leaves[1]), (x, y) => ((a * x) + (b * y)) / (a + b)).ToArray();
        AssertClose(expected, Statistics([.. leaves]), 1e-5);
        Assert.Contains(expected, statistic => statistic is not 0 and not 1);
    }

    [Fact]
    public void Training_learns()
    {
        using var method = FederatedJobs.Create(FederatedJobs.Spec("federated.localEpochs=3", "federated.maxExamples=null"));
        for (var round = 0; round < 8; round++) { FederatedJobs.Round(method, round); }
        var set = method.EvaluationSets.Single();
        var tally = set.Leaves.Select(leaf => method.Evaluate(set, leaf)).Aggregate((x, y) => x + y);
        Assert.True(tally.Accuracy > 0.6, $"accuracy {tally.Accuracy}");
    }

    private static float[] WeightsAfter(int rounds, params string[] overrides)
    {
        using var method = FederatedJobs.Create(FederatedJobs.Spec(overrides));
        for (var round = 0; round < rounds; round++) { FederatedJobs.Round(method, round); }
        return FederatedJobs.Weights(method);
    }

    private static void AssertClose(float[] expected, float[] found, double tolerance)
    {
        Assert.Equal(expected.Length, found.Length);
        var scale = expected.Max(Math.Abs);
        Assert.All(expected.Zip(found), pair => Assert.InRange(Math.Abs(pair.First - pair.Second) / scale, 0, tolerance));
    }
}
