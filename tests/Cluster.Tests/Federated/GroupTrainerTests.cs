using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Data.Clients;
using Cluster.Trainer.Core.Models;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Methods.FedHyper;
using static TorchSharp.torch;

namespace Cluster.Tests.Federated;

/// <summary>Clients trained together: what comes out is what comes out one by one, to rounding, and does not depend on who asks for whom.</summary>
[Collection(TorchTests.Name)]
public sealed class GroupTrainerTests
{
    [Theory]
    [InlineData("scheduler={kind: constant}")]
    [InlineData("scheduler={kind: fedHyper, variant: g+cl, localWindow: {low: 0.001, high: 0.5}}")]
    [InlineData("scheduler={kind: fedHyper, variant: sl, product: cosine, localHyperStep: 0.01}")]
    [InlineData("scheduler={kind: fedHyper, mode: released, variant: cl}")]
    [InlineData("localOptimizer={kind: sgd, momentum: 0.9, weightDecay: 0.01}")]
    [InlineData("localOptimizer={kind: adam}")]
    [InlineData("proximal=0.5")]
    [InlineData("weighting=uniform", "localBatch=7", "localEpochs=3", "maxExamples=null")] // Steps and rows of every length.
    [InlineData("localEpochs=null", "localSteps=4")]
    public void Together_they_learn_what_they_learn_one_by_one(params string[] settings)
    {
        using var alone = Create(1, settings);
        using var together = Create(4, settings); // A group of four and one of one.
        for (var round = 0; round < 3; round++)
        {
            var expected = FederatedJobs.Round(alone, round);
            var found = FederatedJobs.Round(together, round);
            Assert.Equal(expected.Values.Keys.Order(), found.Values.Keys.Order());
            Assert.All(expected.Values, value => Assert.Equal(value.Value, found.Values[value.Key], 1e-3 * Math.Max(1e-3, Math.Abs(value.Value))));
        }

        AssertClose(FederatedJobs.Weights(alone), FederatedJobs.Weights(together), 2e-5);
    }

    [Fact]
    public void A_clients_bits_do_not_depend_on_which_others_are_asked_for()
    {
        using var method = Create(3);
        FederatedJobs.Round(method, 0);
        var leaves = method.Leaves(1);
        using var into = new FlatBuffer(method.ContributionLength);
        float[] Contribution(int index)
        {
            method.Contribute(1, leaves[index], into);
            return into.Span.ToArray();
        }

        var inOrder = leaves.Select(leaf => Contribution(leaf.Index)).ToArray();
        foreach (var index in (int[])[4, 1, 1, 0, 2, 3]) { Assert.Equal(inOrder[index], Contribution(index)); }
    }

    /// <summary>The round is asked for again after a fault, and by then other weights may have come from a peer.</summary>
    [Fact]
    public void A_client_asked_for_again_is_computed_again()
    {
        using var method = Create(5);
        using var into = new FlatBuffer(method.ContributionLength);
        method.Contribute(0, method.Leaves(0)[4], into);
        var before = into.Span.ToArray();
        method.State.Buffers[0].Buffer.Tensor.mul_(0.5);
        method.Contribute(0, method.Leaves(0)[4], into);
        Assert.NotEqual(before, into.Span.ToArray());
    }

    /// <summary>Their data lie in different sets, and one of them is no number.</summary>
    [Fact]
    public void A_client_that_turns_bad_does_not_touch_the_others_of_its_group()
    {
        var spec = FederatedJobs.Spec("federated.clientsTogether=5", "federated.localEpochs=2");
        var data = FederatedData.Open(spec, [DataRoots.Shipped]);
        var cohort = Cohort.Of(spec.Seed, 0, 12, 5);
        using var healthy = new FederatedMethod(spec, data, CPU);
        using var poisoned = new FederatedMethod(spec, FederatedJobs.Poisoned(data, cohort[2]), CPU);
        using var one = new FlatBuffer(healthy.ContributionLength);
        using var other = new FlatBuffer(healthy.ContributionLength);
        foreach (var leaf in healthy.Leaves(0).Where(leaf => leaf.Index != 2))
        {
            Assert.Equal(healthy.Contribute(0, leaf, one), poisoned.Contribute(0, leaf, other));
            Assert.Equal(one.Span.ToArray(), other.Span.ToArray());
        }

        Assert.Equal(0, poisoned.Contribute(0, healthy.Leaves(0)[2], other).Weight);
        Assert.Single(FederatedJobs.Round(poisoned, 0).Notices);
    }

    [Theory]
    [InlineData("mlp, hidden: [64]", 5)] // All of the cohort.
    [InlineData("mlp, hidden: [64], dropout: 0.1", 1)]
    [InlineData("mlp, hidden: [4096]", 1)]
    [InlineData("lenet", 1)]
    public void Small_models_are_trained_together(string model, int size)
    {
        var spec = FederatedJobs.Spec($"model={{kind: {model}}}", "data={kind: mnist}");
        using var network = new FlatModel(ModelCatalog.Create(spec.Model, [1, 28, 28], 10, 1, CPU), Precision.Float32, CPU);
        Assert.Equal(size, ClientGroups.SizeFor(spec, network.Layout.ParameterCount));
        Assert.Equal(1, ClientGroups.SizeFor(FederatedJobs.Spec("federated.clientsTogether=1"), network.Layout.ParameterCount));
    }

    private static FederatedMethod Create(int together, params string[] settings) =>
        FederatedJobs.Create(FederatedJobs.Spec([$"federated.clientsTogether={together}", .. settings.Select(setting => $"federated.{setting}")]));

    private static void AssertClose(float[] expected, float[] found, double tolerance)
    {
        var scale = expected.Max(Math.Abs);
        Assert.All(expected.Zip(found), pair => Assert.InRange(Math.Abs(pair.First - pair.Second) / scale, 0, tolerance));
    }
}
