using Cluster.Contracts.Spec;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Methods.ForwardForward;
using Cluster.Trainer.Methods.ForwardForward.Dense;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Tests.ForwardForward;

/// <summary>The hand-derived gradients of a dense net, as a leaf contributes them, against autograd of the losses as they are written down.</summary>
[Collection(TorchTests.Name)]
public sealed class DenseGradientTests
{
    private const string Digits = """
        name: dense
        method: forwardForward
        model: { kind: mlp, hidden: [24, 16, 20] }
        data: { kind: digits }
        batch: 20
        leaf: 20
        rounds: 3
        optimizer: { kind: sgd }
        schedule: { lr: 0.01 }
        forwardForward: { kind: dense, negatives: randomLabel, label: prepend }
        """;

    [Theory]
    [InlineData("forwardForward.goodness=sum")]
    [InlineData("forwardForward.goodness=mean")]
    [InlineData("forwardForward.threshold=3")]
    [InlineData("forwardForward.loss=symba")]
    [InlineData("forwardForward.label=overwrite")]
    public void Each_layer_gets_the_gradient_of_its_own_loss_alone(string change)
    {
        var spec = Jobs.Read(Digits, change);
        var dense = (ForwardForwardSpec.Dense)spec.ForwardForward!;
        using var scope = NewDisposeScope();
        using var method = Jobs.Method(spec);
        var layout = method.State.Layout;
        var leaf = method.Leaves(1).Single();
        using var into = new FlatBuffer(method.ContributionLength);
        var tally = method.Contribute(1, leaf, into);

        var (positive, negative) = Examples(spec, dense, leaf);
        var (x, total) = (RowNorm.Rms(cat([positive, negative])), 0.0);
        for (var l = 0; l < 3; l++)
        {
            var weight = Value(method, layout, $"layers.{l}.weight").detach().clone().requires_grad_(true);
            var bias = Value(method, layout, $"layers.{l}.bias").detach().clone().requires_grad_(true);
            var y = (x.mm(weight.t()) + bias).relu();
            var g = (dense.Goodness == GoodnessKind.Sum ? y.square().sum(1) : y.square().mean([1L])).view(2, 20);
            var theta = dense.Threshold ?? (dense.Goodness == GoodnessKind.Sum ? y.shape[1] : 1);
            var loss = dense.Loss == ContrastLoss.Symba
                ? nn.functional.softplus((g[0] - g[1]) * -dense.Alpha).sum()
                : (nn.functional.softplus(theta - g[0]) + nn.functional.softplus(g[1] - theta)).sum() / 2;
            loss.backward();

            Near(weight.grad!, Value(into, layout, $"layers.{l}.weight"), $"W of layer {l}");
            Near(bias.grad!, Value(into, layout, $"layers.{l}.bias"), $"b of layer {l}");
            total += loss.item<float>();
            x = RowNorm.Rms(y).detach();
        }

        Assert.Equal(total, tally.Loss, total * 1e-5);
    }

    /// <summary>The read-out's cross entropy reaches the read-out and no layer: with it the layers' gradients are the same bits.</summary>
    [Fact]
    public void The_read_out_learns_and_does_not_teach()
    {
        var spec = Jobs.Read(Digits, "forwardForward.prediction=onePass");
        using var scope = NewDisposeScope();
        using var method = Jobs.Method(spec);
        using var plain = Jobs.Method(Jobs.Read(Digits));
        foreach (var segment in method.State.Layout.Parameters.Where(s => s.Name.StartsWith("readOut", StringComparison.Ordinal)))
        {
            Value(method, method.State.Layout, segment.Name).copy_(rand(segment.Shape.AsSpan()) - 0.5);
        }

        var leaf = method.Leaves(1).Single();
        using var into = new FlatBuffer(method.ContributionLength);
        using var without = new FlatBuffer(plain.ContributionLength);
        method.Contribute(1, leaf, into);
        plain.Contribute(1, leaf, without);

        var data = DataSets.Open(spec.Data!, [DataRoots.Shipped], DataSplit.Train, pixels: PixelRange.Unit);
        var batch = data.Gather(new StagedRounds(spec, _ => data.Count).Samples(1, leaf), 0, CPU);
        var x = RowNorm.Rms(new LabelInput(10, LabelPlace.Prepend, 1).Neutral(batch.Inputs.flatten(1)));
        var read = new List<Tensor>();
        for (var l = 0; l < 3; l++)
        {
            x = RowNorm.Rms((x.mm(Value(method, method.State.Layout, $"layers.{l}.weight").t()) + Value(method, method.State.Layout, $"layers.{l}.bias")).relu());
            if (l > 0) { read.Add(x); }
        }

        var weight = Value(method, method.State.Layout, "readOut.weight").clone().requires_grad_(true);
        var bias = Value(method, method.State.Layout, "readOut.bias").clone().requires_grad_(true);
        nn.functional.cross_entropy(cat(read, 1).mm(weight.t()) + bias, batch.Targets, reduction: nn.Reduction.Sum).backward();
        Near(weight.grad!, Value(into, method.State.Layout, "readOut.weight"), "R");
        Near(bias.grad!, Value(into, method.State.Layout, "readOut.bias"), "r");

        foreach (var segment in plain.State.Layout.Parameters)
        {
            Assert.Equal(Value(without, plain.State.Layout, segment.Name).data<float>().ToArray(), Value(into, method.State.Layout, segment.Name).data<float>().ToArray());
        }
    }

    /// <summary>λ/u Σ (m̄ - m_j)² through the running mean of this batch, units that are off included.</summary>
    [Fact]
    public void Peer_normalisation_is_the_gradient_of_its_term()
    {
        using var scope = NewDisposeScope();
        using var generator = manual_seed(3);
        const double strength = 0.3;
        var x = randn(30, 7, dtype: ScalarType.Float64);
        var weight = randn(5, 7, dtype: ScalarType.Float64).requires_grad_(true);
        var bias = randn(5, dtype: ScalarType.Float64).requires_grad_(true);
        var before = rand(5, dtype: ScalarType.Float64);

        var z = x.mm(weight.t()) + bias;
        var y = z.relu().detach() + z - z.detach(); // relu forward, identity backward
        var mean = before * 0.9 + y.mean([0L]) * 0.1;
        ((mean.mean() - mean).square().mean() * strength).backward();

        var activity = before.clone();
        var gradient = new DenseLayer(zeros(5, 7, dtype: ScalarType.Float64), zeros(5, dtype: ScalarType.Float64));
        using (no_grad()) { PeerNormalisation.Add(activity, y.sum([0L]), x.sum([0L]), samples: 30, strength, gradient); }
        Near(weight.grad!, gradient.Weight / 30, "W");
        Near(bias.grad!, gradient.Bias / 30, "b");
        Near(mean, activity, "m");
    }

    private static (Tensor Positive, Tensor Negative) Examples(JobSpec spec, ForwardForwardSpec.Dense dense, Leaf leaf)
    {
        var data = DataSets.Open(spec.Data!, [DataRoots.Shipped], DataSplit.Train, pixels: PixelRange.Unit);
        var batch = data.Gather(new StagedRounds(spec, _ => data.Count).Samples(1, leaf), 0, CPU);
        var right = batch.Targets.data<long>().ToArray();
        var wrong = WrongLabels.Random(spec.Seed, round: 1, leaf, right, 10);
        var label = new LabelInput(10, dense.Label, dense.LabelValue);
        var x = batch.Inputs.flatten(1);
        return (label.With(x, right), label.With(x, wrong));
    }

    private static Tensor Value(IRoundMethod method, Layout layout, string name) => Value(method.State.Buffers[0].Buffer, layout, name);

    private static Tensor Value(FlatBuffer buffer, Layout layout, string name) => buffer.View(layout.Segments.Single(segment => segment.Name == name));

    private static void Near(Tensor wanted, Tensor found, string what)
    {
        var error = (wanted - found).norm().to(ScalarType.Float64).item<double>() / wanted.norm().to(ScalarType.Float64).item<double>();
        Assert.True(error < 1e-5, $"{what}: relative error {error}");
    }
}
