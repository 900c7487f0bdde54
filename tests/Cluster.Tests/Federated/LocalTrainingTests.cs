using Cluster.Contracts.Spec.Federated;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Optimizers;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Methods.FedHyper;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Tests.Federated;

/// <summary>The parts of a client's round, each by itself.</summary>
[Collection(TorchTests.Name)]
public sealed class LocalTrainingTests
{
    /// <summary>PyTorch's own optimisers, step for step.</summary>
    [Theory]
    [InlineData("sgd")]
    [InlineData("momentum")]
    [InlineData("adam")]
    public void Local_steps_are_those_of_torch(string kind)
    {
        using var scope = NewDisposeScope();
        using var generator = manual_seed(3);
        const double beta = 0.05;
        var start = randn(40);
        var gradients = Enumerable.Range(0, 6).Select(_ => randn(40)).ToArray();

        var reference = new TorchSharp.Modules.Parameter(start.clone());
        optim.Optimizer torchs = kind switch
        {
            "sgd" => optim.SGD([reference], beta, weight_decay: 0.1),
            "momentum" => optim.SGD([reference], beta, momentum: 0.9, weight_decay: 0.1),
            _ => optim.Adam([reference], beta),
        };
        LocalOptimizerSpec spec = kind switch
        {
            "sgd" => new LocalOptimizerSpec.Sgd { WeightDecay = 0.1 },
            "momentum" => new LocalOptimizerSpec.Sgd { Momentum = 0.9, WeightDecay = 0.1 },
            _ => new LocalOptimizerSpec.Adam(),
        };
        var w = start.clone();
        var training = new LocalTraining(LocalOptimizer.Create(spec, () => ones(40)), proximal: 0, byCosine: false, threads: 1); // Moments are cleared for each client.
        training.Run(w, start, null, gradients.Length, new SteadyRates(beta), k => gradients[k].clone());
        foreach (var gradient in gradients)
        {
            reference.grad = gradient;
            torchs.step();
        }

        Assert.True(w.allclose(reference, rtol: 1e-5, atol: 1e-6), $"{(w - reference).abs().max().item<float>()}");
    }

    [Fact]
    public void A_loss_that_is_not_finite_ends_the_run()
    {
        using var scope = NewDisposeScope();
        var w = zeros(4);
        var run = new LocalTraining(LocalOptimizer.Create(new LocalOptimizerSpec.Sgd(), () => zeros(4)), 0, false, 1)
            .Run(w, zeros(4), null, 9, new SteadyRates(0.5), k => k == 3 ? null : ones(4));
        Assert.Equal((3, 0.5), (run.Steps, run.BetaMean));
        Assert.Equal([-1.5f, -1.5f, -1.5f, -1.5f], w.data<float>().ToArray());
    }

    /// <summary>⟨a, b⟩/(|a||b|): 1 for equal directions whatever the lengths, so β moves by the hyper step alone.</summary>
    [Fact]
    public void The_cosine_does_not_see_lengths()
    {
        using var scope = NewDisposeScope();
        foreach (var length in (float[])[1e-6f, 1, 1e6f])
        {
            var training = new LocalTraining(LocalOptimizer.Create(new LocalOptimizerSpec.Sgd(), () => zeros(4)), 0, byCosine: true, 1);
            var run = training.Run(zeros(4), zeros(4), ones(4), 3, new ClientHyperRates(new HyperRule(0.1, 0, 10), 1, 0.5), _ => ones(4) * length);
            Assert.Equal((1, 1.3), (run.BetaMin, Math.Round(run.BetaMax, 6))); // Two steps of 0.1·(1 + ½·1).
        }
    }

    [Theory]
    [InlineData(1), InlineData(2), InlineData(3)]
    public void Inner_products_are_exact_to_rounding_and_the_same_for_any_number_of_threads(int seed)
    {
        using var scope = NewDisposeScope();
        using var generator = manual_seed(seed);
        var (a, b) = (randn(300_007), randn(300_007));
        var (exact, lost) = (0.0, 0.0); // A product of two floats is exact in float64; the sum is Kahan's.
        foreach (var product in a.data<float>().ToArray().Zip(b.data<float>().ToArray(), (x, y) => (double)x * y))
        {
            var next = exact + (product - lost);
            lost = next - exact - (product - lost);
            exact = next;
        }

        var found = InnerProduct.Of(a, b);
        Assert.InRange(Math.Abs(found - exact), 0, 1e-10);
        Assert.Equal(BitConverter.DoubleToInt64Bits(found), BitConverter.DoubleToInt64Bits(InnerProduct.Of(a, b, threads: 3)));
        Assert.Equal(found, InnerProduct.Of(a.to(ScalarType.Float64), b.to(ScalarType.Float64)), 1e-9);
        Assert.Equal(InnerProduct.Of(a.narrow(0, 16, 4096), b.narrow(0, 16, 4096)), InnerProduct.Of(a.narrow(0, 16, 4096).clone(), b.narrow(0, 16, 4096).clone()));

        a[299_999] = float.NaN;
        Assert.True(double.IsNaN(InnerProduct.Of(a, b)));
        Assert.Throws<ArgumentException>(() => InnerProduct.Of(a, b.narrow(0, 0, 5)));
    }

    [Fact]
    public void Epochs_see_every_sample_once_and_steps_run_on()
    {
        var spec = new FederatedSpec { Partition = new PartitionSpec.Iid { Clients = 1 }, ClientsPerRound = 1, LocalLr = 1, LocalBatch = 32 };
        var epochs = new LocalBatches(spec with { LocalEpochs = 3 }, seed: 1, round: 2, client: 3, samples: 70);
        Assert.Equal((9, 3), (epochs.Steps, epochs.StepsPerEpoch));
        for (var epoch = 0; epoch < 3; epoch++)
        {
            long[][] batches = [.. Enumerable.Range(3 * epoch, 3).Select(k => epochs.At(k))];
            Assert.Equal([32, 32, 6], batches.Select(batch => batch.Length));
            Assert.Equal(Enumerable.Range(0, 70).Select(i => (long)i), batches.SelectMany(batch => batch).Order());
        }

        var steps = new LocalBatches(spec with { LocalSteps = 7 }, 1, 2, 3, samples: 70);
        Assert.Equal(7, steps.Steps);
        long[] seen = [.. Enumerable.Range(0, 7).SelectMany(k => steps.At(k))];
        Assert.Equal(7 * 32, seen.Length);
        Assert.Equal(Enumerable.Range(0, 70).Select(i => (long)i), seen[..70].Order());

        var small = new LocalBatches(spec with { LocalSteps = 4 }, 1, 2, 3, samples: 5);
        Assert.All(Enumerable.Range(0, 4), k => Assert.Equal([0, 1, 2, 3, 4], small.At(k).Order()));
        Assert.NotEqual(epochs.At(0), new LocalBatches(spec with { LocalEpochs = 3 }, 1, 3, 3, 70).At(0));
        Assert.NotEqual(epochs.At(0), new LocalBatches(spec with { LocalEpochs = 3 }, 1, 2, 4, 70).At(0));
    }

    [Fact]
    public void A_cohort_is_ascending_without_repetition_and_all_clients_are_equally_likely()
    {
        var times = new int[20];
        for (var round = 0; round < 4_000; round++)
        {
            var cohort = Cohort.Of(7, round, 20, 5);
            Assert.Equal(cohort.Distinct().Order(), cohort);
            foreach (var client in cohort) { times[client]++; }
        }

        Assert.All(times, count => Assert.InRange(count, 1_000 - 150, 1_000 + 150)); // Five standard deviations.
        Assert.Equal(Enumerable.Range(0, 20), Cohort.Of(7, 0, 20, 20));
    }

    /// <summary>Each row comes out of the sum as its own leaf wrote it.</summary>
    [Fact]
    public void The_sum_of_the_tables_holds_every_row()
    {
        using var scope = NewDisposeScope();
        ClientReport[] reports = [.. Enumerable.Range(0, 5).Select(i => new ClientReport(
            i == 2 ? ClientEnd.LossNotFinite : ClientEnd.Counted, 1000 + i, 7, 0.25, 0.5, 0.75, 1, 2.5, 0.125, 1.5, 0.5))];
        var sum = zeros(ClientTable.Length(6));
        Assert.Equal(0, sum.NumberOfElements % Layout.Alignment);
        foreach (var (i, report) in reports.Index())
        {
            var table = zeros_like(sum);
            ClientTable.Write(table, i, report);
            sum.add_(table);
        }

        Assert.Equal([.. reports, default], ClientTable.Read(sum, 6));
    }
}
