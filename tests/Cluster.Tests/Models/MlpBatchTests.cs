using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Models;
using Cluster.Trainer.Core.State;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Tests.Models;

[Collection(TorchTests.Name)]
public sealed class MlpBatchTests
{
    public static TheoryData<int[]> Hidden => [[], [16], [24, 16], [20, 7, 5]];

    /// <summary>Networks of different weights and different numbers of samples, each beside the flat model and autograd.</summary>
    [Theory, MemberData(nameof(Hidden))]
    public void Each_networks_gradient_is_that_of_the_flat_model(int[] hidden)
    {
        const int networks = 4;
        int[] counts = [6, 1, 4, 6];
        var sample = new Sample(new ModelSpec.Mlp { Hidden = [.. hidden] }, [1, 8, 8], 10);
        FlatModel[] models = [.. Enumerable.Range(0, networks).Select(i => sample.Model(seed: i))];
        var layout = models[0].Layout;
        using var scope = NewDisposeScope();
        var batches = counts.Select((_, i) => sample.Batch(seed: (ulong)i)).ToArray();
        var shares = zeros(networks, 6);
        foreach (var (i, count) in counts.Index()) { shares[i].narrow(0, 0, count).fill_(1.0 / count); }
        var into = zeros(networks + 1, layout.Length); // Rows of a larger matrix.

        var (loss, correct) = new MlpBatch(layout).Gradients(
            stack(models.Select(model => model.Theta.Tensor)), stack(batches.Select(batch => batch.Inputs)), stack(batches.Select(batch => batch.Targets)), shares, into.narrow(0, 0, networks));

        foreach (var (i, count) in counts.Index())
        {
            using var gradient = new FlatBuffer(layout.Length);
            var tally = models[i].TrainLeaf(Sample.Part(batches[i], 0, count), 0, gradient);
            var expected = gradient.Tensor.div(count);
            Assert.True(into[i].allclose(expected, rtol: 1e-4, atol: 1e-6 * expected.abs().max().item<float>()), $"network {i}: {(into[i] - expected).abs().max().item<float>()}");
            Assert.Equal(tally.MeanLoss, loss[i], 1e-5);
            Assert.Equal(tally.Correct, correct[i]);
        }

        Assert.Equal(0, into[networks].abs().max().item<float>());
        foreach (var model in models) { model.Dispose(); }
    }

    [Fact]
    public void Another_models_layout_is_refused()
    {
        using var model = Sample.All["lenet"].Model();
        Assert.Throws<ArgumentException>(() => new MlpBatch(model.Layout));
    }
}
