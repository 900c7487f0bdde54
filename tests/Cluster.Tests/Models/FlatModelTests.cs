using Cluster.Contracts.Spec;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Models;
using Cluster.Trainer.Core.State;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Tests.Models;

[Collection(TorchTests.Name)]
public sealed class FlatModelTests
{
    public static TheoryData<string> Kinds => [.. Sample.All.Keys];

    public static TheoryData<string> KindsWithoutBatchNorm => [.. Sample.All.Keys.Where(kind => kind != "resnet batch")];

    [Theory, MemberData(nameof(Kinds))]
    public void The_flat_gradient_is_autograds_gradient(string kind)
    {
        var sample = Sample.All[kind];
        using var model = sample.Model();
        using var plain = sample.Network();
        using var batch = sample.Batch(seed: 5);
        using var gradient = new FlatBuffer(model.Layout.Length);

        var score = model.TrainLeaf(batch, 7, gradient);
        foreach (var norm in plain.modules().OfType<BatchNorm>()) { var channels = norm.get_parameter("weight")!.shape[0]; norm.LeafStatistics = (zeros(channels), zeros(channels)); }
        using var loss = kind == "mae"
            ? nn.functional.mse_loss(plain.Logits(batch.Inputs), batch.Targets, nn.Reduction.Mean) * batch.Samples
            : nn.functional.cross_entropy(plain.Logits(batch.Inputs).flatten(0, -2), batch.Targets.view(-1), reduction: nn.Reduction.Sum);
        loss.backward();

        Assert.Equal(loss.item<float>(), score.Loss, 1e-3);
        var byName = model.Layout.Parameters.ToDictionary(segment => segment.Name);
        foreach (var (name, parameter) in plain.named_parameters())
        {
            var segment = byName[name];
            using var expected = parameter.grad!;
            AssertClose(expected.data<float>().ToArray(), gradient.Slice(segment.Offset, segment.Length), 1e-6, $"{kind} {name}");
        }
    }

    [Theory, MemberData(nameof(KindsWithoutBatchNorm))]
    public void Two_leaves_add_up_to_the_whole_batch(string kind)
    {
        var sample = Sample.All[kind];
        using var model = sample.Model();
        using var whole = sample.Batch(seed: 3, count: 7);
        using var first = Sample.Part(whole, 0, 3);
        using var second = Sample.Part(whole, 3, 4);
        using var ofWhole = new FlatBuffer(model.Layout.Length);
        using var ofFirst = new FlatBuffer(model.Layout.Length);
        using var sum = new FlatBuffer(model.Layout.Length);

        var score = model.TrainLeaf(whole, 1, ofWhole);
        var a = model.TrainLeaf(first, 2, ofFirst);
        var b = model.TrainLeaf(second, 3, sum);
        sum.Add(ofFirst);

        AssertClose(ofWhole.Span, sum.Span, 1e-5, kind);
        Assert.Equal((score.Samples, score.Weight, score.Correct), (a.Samples + b.Samples, a.Weight + b.Weight, a.Correct + b.Correct));
        Assert.Equal(score.Loss, a.Loss + b.Loss, 1e-3);
        if (kind == "bert") { Assert.InRange(score.Weight, 1, 7 * 16 - 1); }
    }

    [Theory, MemberData(nameof(Kinds))]
    public void A_leaf_gives_the_same_bits_whatever_came_before_it(string kind)
    {
        var sample = Sample.All[kind];
        using var model = sample.Model();
        using var batch = sample.Batch(seed: 11);
        using var other = sample.Batch(seed: 12, count: 3);
        using var first = new FlatBuffer(model.Layout.Length);
        using var again = new FlatBuffer(model.Layout.Length);
        var theta = model.Theta.Span.ToArray();

        var score = model.TrainLeaf(batch, 21, first);
        model.TrainLeaf(other, 22, again);
        model.EvaluateLeaf(other);
        again.Span.Fill(float.NaN); // Whatever the buffer held must be gone.
        var scoreAgain = model.TrainLeaf(batch, 21, again);

        Assert.Equal(score, scoreAgain);
        AssertSameBits(first.Span, again.Span);
        AssertSameBits(theta, model.Theta.Span);
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Two_builds_with_one_seed_are_equal_and_another_seed_differs(string kind)
    {
        using var first = Sample.All[kind].Model(seed: 9);
        using var second = Sample.All[kind].Model(seed: 9);
        using var other = Sample.All[kind].Model(seed: 10);

        Assert.Equal(Describe(first.Layout), Describe(second.Layout));
        AssertSameBits(first.Theta.Span, second.Theta.Span);
        Assert.False(first.Theta.Span.SequenceEqual(other.Theta.Span));

        static IEnumerable<string> Describe(Layout layout) =>
            layout.Segments.Select(s => $"{s.Name} [{string.Join(',', s.Shape)}] {s.Offset} {s.Role}");
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Gradient_descent_on_theta_lowers_the_loss(string kind)
    {
        var sample = Sample.All[kind];
        using var model = sample.Model();
        using var batch = sample.Batch(seed: 2);
        using var gradient = new FlatBuffer(model.Layout.Length);

        var losses = new List<double>();
        for (var step = 0; step < 8; step++)
        {
            var score = model.TrainLeaf(batch, 1, gradient);
            losses.Add(score.Loss / score.Weight);
            using var _ = no_grad();
            using var theta = model.Theta.Tensor.narrow(0, 0, model.Layout.ParameterLength);
            using var g = gradient.Tensor.narrow(0, 0, model.Layout.ParameterLength);
            theta.add_(g, alpha: -0.05 / score.Weight);
        }

        Assert.InRange(losses[0], 0.5 * sample.UntrainedLoss, 2 * sample.UntrainedLoss);
        Assert.True(losses[^1] < losses[0] - 0.01, $"{kind}: {string.Join(" ", losses)}");
    }

    [Theory, MemberData(nameof(Kinds))]
    public void A_backward_pass_in_pieces_gives_the_same_bits_and_calls_no_part_final_too_early(string kind)
    {
        foreach (var precision in Enum.GetValues<Precision>()) { ComesInPieces(kind, precision); }
    }

    private static void ComesInPieces(string kind, Precision precision)
    {
        var sample = Sample.All[kind];
        if (sample.Spec is ModelSpec.Gpt gpt) { sample = sample with { Spec = gpt with { Dropout = 0.2 } }; }
        using var model = sample.Model(precision: precision);
        using var batch = sample.Batch(seed: 5);
        using FlatBuffer whole = new(model.Layout.Length), inPieces = new(model.Layout.Length);
        var parts = new List<(int Offset, float[] Values)>();

        var score = model.TrainLeaf(batch, 7, whole);
        Assert.Equal(score, model.TrainLeaf(batch, 7, inPieces, offset => parts.Add(((int)offset, inPieces.Span[(int)offset..].ToArray()))));

        AssertSameBits(whole.Span, inPieces.Span);
        foreach (var (offset, values) in parts) { AssertSameBits(whole.Span[offset..], values); }
        Assert.Equal(parts.Select(part => part.Offset).Distinct().OrderDescending(), parts.Select(part => part.Offset));
        Assert.DoesNotContain(0, parts.Select(part => part.Offset));
        Assert.Equal(Cuts(sample.Spec), parts.Count);

        static int Cuts(ModelSpec spec) => spec switch
        {
            ModelSpec.LeNet => 0,
            ModelSpec.Mlp mlp => mlp.Hidden.Count, // The first layer has data below it.
            ModelSpec.ResNet resNet => 3 * resNet.BlocksPerGroup,
            ModelSpec.Mae mae => mae.Layers + mae.Decoder.Layers,
            ModelSpec.Bert bert => bert.Layers,
            ModelSpec.Gpt gpt => gpt.Layers,
            _ => -1,
        };
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Leaves_leave_no_tensors_behind(string kind)
    {
        var sample = Sample.All[kind];
        using var model = sample.Model();
        using var batch = sample.Batch(seed: 4, count: 2);
        using var one = new FlatBuffer(model.Layout.Length);
        using var two = new FlatBuffer(model.Layout.Length);
        Leaf(0);
        Leaf(1);
        GC.Collect(); // What earlier tests left to the finaliser must not be counted in between.
        GC.WaitForPendingFinalizers();

        var before = Tensor.TotalCount;
        for (var i = 0; i < 50; i++) { Leaf(i); }
        Assert.Equal(before, Tensor.TotalCount);

        void Leaf(int i)
        {
            model.TrainLeaf(batch, (ulong)i, i % 2 == 0 ? one : two, i % 3 == 0 ? _ => { } : null);
            model.EvaluateLeaf(batch);
        }
    }

    [Theory, InlineData("bert"), InlineData("gpt"), InlineData("mlp")]
    public void Without_targets_the_leaf_weighs_nothing_and_its_gradient_is_zero(string kind)
    {
        var sample = Sample.All[kind];
        using var model = sample.Model();
        using var batch = sample.Batch(seed: 8);
        batch.Targets.fill_(Batch.NoTarget);
        using var gradient = new FlatBuffer(model.Layout.Length);

        var score = model.TrainLeaf(batch, 1, gradient);

        Assert.Equal(new Tally(6, 0, 0, 0, 1), score);
        Assert.False(gradient.Span.ContainsAnyExcept(0f));
    }

    [Theory, InlineData("mlp"), InlineData("bert"), InlineData("gpt")]
    public void Dropout_follows_the_leafs_seed_and_rests_in_evaluation(string kind)
    {
        var sample = Sample.All[kind];
        ModelSpec dropping = sample.Spec switch
        {
            ModelSpec.Mlp mlp => mlp with { Dropout = 0.3 },
            ModelSpec.Bert bert => bert with { Dropout = 0.3 },
            ModelSpec.Gpt gpt => gpt with { Dropout = 0.3 },
            _ => sample.Spec,
        };
        using var model = (sample with { Spec = dropping }).Model();
        using var without = sample.Model();
        using var batch = sample.Batch(seed: 6);
        using var a = new FlatBuffer(model.Layout.Length);
        using var b = new FlatBuffer(model.Layout.Length);
        using var c = new FlatBuffer(model.Layout.Length);

        model.TrainLeaf(batch, 1, a);
        model.TrainLeaf(batch, 2, b);
        model.TrainLeaf(batch, 1, c);

        AssertSameBits(a.Span, c.Span);
        Assert.False(a.Span.SequenceEqual(b.Span));
        Assert.Equal(without.EvaluateLeaf(batch).Loss, model.EvaluateLeaf(batch).Loss, 1e-3);
    }

    [Theory, MemberData(nameof(Kinds))]
    public void BFloat16_gives_nearly_the_float32_gradient(string kind)
    {
        var sample = Sample.All[kind];
        using var exact = sample.Model();
        using var coarse = sample.Model(precision: Precision.BFloat16);
        using var batch = sample.Batch(seed: 14, count: 48); // Enough that no single ReLU that flips decides.
        using var expected = new FlatBuffer(exact.Layout.Length);
        using var actual = new FlatBuffer(exact.Layout.Length);
        using var again = new FlatBuffer(exact.Layout.Length);

        exact.TrainLeaf(batch, 1, expected);
        coarse.TrainLeaf(batch, 1, actual);
        coarse.TrainLeaf(batch, 1, again);

        AssertSameBits(actual.Span, again.Span);
        Assert.False(expected.Span.SequenceEqual(actual.Span)); // It must in fact compute in another format.
        AssertClose(expected.Span, actual.Span, 0.1, kind);
    }

    private static void AssertSameBits(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual) =>
        Assert.True(System.Runtime.InteropServices.MemoryMarshal.AsBytes(expected).SequenceEqual(System.Runtime.InteropServices.MemoryMarshal.AsBytes(actual)));

    /// <summary>|actual − expected| is at most <paramref name="tolerance"/> of |expected|, as vectors.</summary>
    private static void AssertClose(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, double tolerance, string what)
    {
        double difference = 0, norm = 0;
        for (var i = 0; i < expected.Length; i++)
        {
            difference += Math.Pow((double)actual[i] - expected[i], 2);
            norm += Math.Pow(expected[i], 2);
        }

        Assert.True(Math.Sqrt(difference) <= tolerance * Math.Sqrt(norm), $"{what}: off by {Math.Sqrt(difference / norm):E2} of its norm, {tolerance:E0} allowed");
    }
}
