using Cluster.Trainer.Core.State;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Methods.ForwardForward;
using Cluster.Trainer.Methods.ForwardForward.Dense;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Tests.ForwardForward;

[Collection(TorchTests.Name)]
public sealed class DenseMethodTests
{
    private const string Digits = """
        name: dense
        method: forwardForward
        model: { kind: mlp, hidden: [40, 32] }
        data: { kind: digits }
        batch: 90
        leaf: 20
        rounds: 12
        optimizer: { kind: sgd }
        schedule: { lr: 0.01 }
        evaluate: { samples: 200 }
        forwardForward: { kind: dense, negatives: hardLabel, label: prepend, peer: 0.03 }
        """;

    /// <summary>Five leaves a round, the last one ragged; hard negatives and peers need more of the round than their own leaf.</summary>
    [Theory]
    [InlineData("forwardForward.negatives=hardLabel")]
    [InlineData("forwardForward={kind: dense, negatives: hybrid, prediction: onePass}")]
    [InlineData("optimizer={kind: adam}")]
    public void The_answer_is_the_same_bits_on_any_number_of_ranks(string change)
    {
        var spec = Jobs.Read(Digits, change);
        var one = Jobs.Run(spec);
        Assert.Equal(12, one.Rounds);
        Assert.Equal(one, Jobs.Run(spec, ranks: 2));
        Assert.Equal(one, Jobs.Run(spec, ranks: 3));
    }

    /// <summary>Two epochs on a small net: far above chance, so every part works with the others.</summary>
    [Theory]
    [InlineData(0.85, "forwardForward.negatives=hardLabel")]
    [InlineData(0.85, "forwardForward.prediction=onePass")]
    [InlineData(0.8, "forwardForward={kind: dense, negatives: randomLabel, label: prepend, loss: symba, goodness: mean}", "schedule.lr=0.1")]
    [InlineData(0.75, "forwardForward={kind: dense, negatives: hybrid, prediction: onePass, blurSteps: 1}")]
    public void It_learns(double accuracy, params string[] changes)
    {
        var spec = Jobs.Read(Digits, ["rounds=300", "schedule={lr: 0.01, decay: linear}", "evaluate={}", .. changes]);
        Assert.InRange(Jobs.Run(spec).Accuracy, accuracy, 1);
    }

    /// <summary>The mean gradient, records and peer sums are those of the batch in one piece, however it is cut.</summary>
    [Theory, InlineData("leaf=7"), InlineData("leaf=45")]
    public void A_cut_into_leaves_changes_nothing_but_rounding(string leaf)
    {
        using var whole = Jobs.Method(Jobs.Read(Digits, "leaf=90"));
        using var cut = Jobs.Method(Jobs.Read(Digits, leaf));
        var (expected, found) = (Sum(whole), Sum(cut));
        var scale = expected.Max(Math.Abs);
        Assert.All(expected.Zip(found), pair => Assert.Equal(pair.First, pair.Second, 1e-5 * scale));
    }

    /// <summary>Locality: what lies above a layer is nothing to it.</summary>
    [Fact]
    public void A_layer_does_not_see_the_layers_above()
    {
        var spec = Jobs.Read(Digits, "forwardForward.negatives=randomLabel", "forwardForward.prediction=goodness");
        using var one = Jobs.Method(spec);
        using var other = Jobs.Method(spec);
        var above = other.State.Layout.Parameters.Single(segment => segment.Name == "layers.1.weight");
        other.State.Buffers[0].Buffer.Slice(above.Offset, above.Length).Fill(0.5f);

        var below = one.State.Layout.Parameters.Where(segment => segment.Name.StartsWith("layers.0.", StringComparison.Ordinal)).ToArray();
        var (a, b) = (Sum(one), Sum(other));
        foreach (var segment in below) { Assert.Equal(a[(int)segment.Offset..(int)segment.End], b[(int)segment.Offset..(int)segment.End]); }
        Assert.NotEqual(a, b);
    }

    [Fact]
    public void A_round_tells_of_every_layer()
    {
        using var method = Jobs.Method(Jobs.Read(Digits));
        using var sum = new FlatBuffer(method.ContributionLength);
        using var leaf = new FlatBuffer(method.ContributionLength);
        var total = method.Leaves(0).Select(one => { var tally = method.Contribute(0, one, leaf); sum.Add(leaf); return tally; }).Aggregate((a, b) => a + b);
        var values = method.Update(0, sum, total).Values;

        Assert.Equal(8, values.Count);
        Assert.Equal(total.MeanLoss, values["layer1.loss"] + values["layer2.loss"], 1e-3);
        Assert.InRange(values["layer1.goodnessPositive"], 1, 1000);
        Assert.InRange(values["layer2.accuracy"], 0, 1);
    }

    [Fact]
    public void A_gradient_that_is_not_finite_leaves_everything_as_it_is()
    {
        using var method = Jobs.Method(Jobs.Read(Digits));
        var before = method.State.Buffers.Select(buffer => buffer.Buffer.Span.ToArray()).ToArray();
        using var sum = new FlatBuffer(method.ContributionLength);
        sum.Span[^5] = float.NaN;
        Assert.Equal("the gradient is not finite", method.Update(0, sum, new(90, 90, 1, 1, 5)).Skipped);
        Assert.Equal(before, method.State.Buffers.Select(buffer => buffer.Buffer.Span.ToArray()));
    }

    /// <summary>Two activities at a time.</summary>
    [Fact]
    public void More_layers_take_no_more_memory_for_a_leaf_than_fewer()
    {
        var (few, many) = (Peaks("[40, 40, 40]"), Peaks("[40, 40, 40, 40, 40, 40, 40, 40]"));
        Assert.InRange(few.Learning, 1, 100);
        Assert.Equal(few, many);

        static (long Learning, long Predicting) Peaks(string widths)
        {
            using var method = Jobs.Method(Jobs.Read(Digits, $"model.hidden={widths}", "forwardForward={kind: dense, negatives: randomLabel, label: prepend}"));
            using var into = new FlatBuffer(method.ContributionLength);
            return (
                Live.PeakOf(() => method.Contribute(0, method.Leaves(0)[0], into)),
                Live.PeakOf(() => method.Evaluate(method.EvaluationSets[0], method.EvaluationSets[0].Leaves[0])));
        }
    }

    [Fact]
    public void No_tensor_outlives_its_leaf()
    {
        using var method = Jobs.Method(Jobs.Read(Digits, "model.hidden=[40, 40, 40, 40]"));
        using var into = new FlatBuffer(method.ContributionLength);
        method.Contribute(0, method.Leaves(0)[0], into);
        var before = Live.Tensors();
        for (var i = 0; i < 5; i++) { method.Contribute(0, method.Leaves(0)[i % 5], into); method.Evaluate(method.EvaluationSets[0], method.EvaluationSets[0].Leaves[0]); }
        Assert.Equal(before, Live.Tensors());
    }

    [Fact]
    public void Wrong_labels_are_wrong_and_as_likely_as_they_should_be()
    {
        const int n = 20_000;
        var leaf = new Leaf(0, 0, n);
        long[] right = [.. Enumerable.Range(0, n).Select(i => i % 4L)];
        var random = WrongLabels.Random(1, 0, leaf, right, 4);
        Assert.DoesNotContain(random.Zip(right), pair => pair.First == pair.Second);
        Assert.All(random.GroupBy(label => label), group => Assert.InRange(group.Count(), n / 4 - 300, n / 4 + 300));

        float[] row = [0.5f, 0.1f, 0.4f, 0];
        var hard = WrongLabels.Hard(1, 0, leaf, [.. Enumerable.Repeat(0L, n)], 4, [.. Enumerable.Range(0, n).SelectMany(_ => row)]);
        Assert.All(hard, label => Assert.InRange(label, 1, 2));
        Assert.InRange(hard.Count(label => label == 2), 0.78 * n, 0.82 * n);

        float[] sure = [0, 1, 0, 0];
        var sureOfRight = WrongLabels.Hard(1, 0, leaf, [.. Enumerable.Repeat(1L, n)], 4, [.. Enumerable.Range(0, n).SelectMany(_ => sure)]);
        Assert.DoesNotContain(1, sureOfRight);
        Assert.Equal(3, sureOfRight.Distinct().Count());
    }

    [Fact]
    public void Wrong_labels_and_masks_do_not_depend_on_the_cut()
    {
        long[] right = [.. Enumerable.Range(0, 30).Select(i => i % 10L)];
        var whole = WrongLabels.Random(1, 7, new Leaf(0, 100, 30), right, 10);
        Assert.Equal(whole[12..], WrongLabels.Random(1, 7, new Leaf(1, 112, 18), right.AsSpan(12), 10));
        Assert.NotEqual(whole, WrongLabels.Random(1, 8, new Leaf(0, 100, 30), right, 10));

        using var scope = NewDisposeScope();
        var noise = HybridImages.Noise(1, 7, new Leaf(0, 100, 30), 4, 5);
        Assert.True(noise.narrow(0, 12, 18).equal(HybridImages.Noise(1, 7, new Leaf(1, 112, 18), 4, 5)).all().item<bool>());
        Assert.Equal(HybridImages.Partners(1, 7, new Leaf(0, 100, 30), 50)[12..], HybridImages.Partners(1, 7, new Leaf(1, 112, 18), 50));
    }

    private static double[] Sum(IRoundMethod method)
    {
        using var into = new FlatBuffer(method.ContributionLength);
        var sum = new double[method.ContributionLength];
        foreach (var leaf in method.Leaves(2))
        {
            method.Contribute(2, leaf, into);
            for (var i = 0; i < sum.Length; i++) { sum[i] += into.Span[i]; }
        }

        return sum;
    }
}
