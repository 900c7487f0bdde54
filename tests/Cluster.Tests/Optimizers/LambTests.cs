using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Methods.Lamb;
using static TorchSharp.torch;

namespace Cluster.Tests.Optimizers;

public class LambTests
{
    private static LambOptimizer Lamb(Problem problem, OptimizerSpec? spec = null, int threads = 1, bool asTensors = false) =>
        new(spec ?? new OptimizerSpec(), problem.Layout, CPU, threads, asTensors);

    private static float[] After(OptimizerSpec spec, int steps = 3, int threads = 1, bool asTensors = false, double factor = 1, double scale = 1)
    {
        using var problem = new Problem();
        using var lamb = Lamb(problem, spec, threads, asTensors);
        problem.Steps(lamb, 1, steps, factor, scale);
        return problem.Theta.Span.ToArray();
    }

    [Fact]
    public void Any_number_of_threads_gives_the_same_bits()
    {
        var one = After(new OptimizerSpec());
        Assert.Equal(one, After(new OptimizerSpec(), threads: 2));
        Assert.Equal(one, After(new OptimizerSpec(), threads: 5));
    }

    /// <summary>Recorded with 512-bit registers, and the same with them switched off (DOTNET_EnableAVX512=0).</summary>
    [Fact]
    public void Any_register_width_gives_the_same_bits() =>
        Assert.Equal("6755ff0281dfaa02", Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(After(new OptimizerSpec()).AsSpan())))[..16]);

    [Fact]
    public void The_scale_of_the_gradient_does_not_matter_without_epsilon()
    {
        var spec = new OptimizerSpec { Epsilon = 0 };
        Assert.Equal(After(spec), After(spec, factor: 1024)); // A power of two scales exactly.
    }

    [Fact]
    public void The_sum_times_its_scale_is_the_mean() =>
        Near.Equal(After(new OptimizerSpec()), After(new OptimizerSpec(), factor: 64, scale: 1 / 64.0), 1e-6);

    [Fact]
    public void A_run_continues_from_saved_moments_bit_for_bit()
    {
        using var problem = new Problem();
        using var first = Lamb(problem);
        problem.Steps(first, 1, 2);
        using var second = Lamb(problem);
        foreach (var ((_, from), (_, to)) in first.Moments.Zip(second.Moments)) { to.CopyFrom(from); }
        problem.Steps(second, 3, 5);
        Assert.Equal(After(new OptimizerSpec(), steps: 5), problem.Theta.Span.ToArray());
    }

    [Fact]
    public void Statistics_are_not_touched()
    {
        using var problem = new Problem();
        var before = problem.Of("norm.mean");
        using var lamb = Lamb(problem, new OptimizerSpec { Exclude = ExclusionSpec.Nothing });
        problem.Steps(lamb, 1, 3);
        Assert.Equal(before, problem.Of("norm.mean"));
    }

    [Fact]
    public void Padding_stays_zero()
    {
        using var problem = new Problem();
        using var lamb = Lamb(problem);
        problem.Steps(lamb, 1, 3);
        foreach (var (segment, next) in problem.Layout.Segments.Zip(problem.Layout.Segments.Skip(1)))
        {
            Assert.All(problem.Theta.Slice(segment.End, next.Offset - segment.End).ToArray(), value => Assert.Equal(0, value));
        }
    }

    [Theory]
    [InlineData(0.01), InlineData(1.5)]
    public void Without_any_gradient_a_decayed_layer_shrinks_by_the_rate_whatever_the_decay(double decay)
    {
        using var problem = new Problem();
        using var lamb = Lamb(problem, new OptimizerSpec { WeightDecay = decay });
        var before = problem.Of("big.weight");
        lamb.Step(problem.Theta, problem.Gradient, scale: 1, learningRate: 0.01, t: 1);
        Near.Equal(before.Select(x => x * 0.99f).ToArray(), problem.Of("big.weight"), 1e-6);
    }

    [Theory]
    [InlineData(1e-6), InlineData(0)]
    public void Without_gradient_and_decay_nothing_moves(double epsilon)
    {
        using var problem = new Problem();
        using var lamb = Lamb(problem, new OptimizerSpec { WeightDecay = 0, Epsilon = epsilon });
        var before = problem.Theta.Span.ToArray();
        lamb.Step(problem.Theta, problem.Gradient, scale: 1, learningRate: 0.01, t: 1);
        Assert.Equal(before, problem.Theta.Span.ToArray());
    }

    [Fact]
    public void A_ratio_clipped_to_one_with_decoupled_decay_is_AdamW()
    {
        var lamb = After(new OptimizerSpec { RatioClip = new() { Low = 1, High = 1 }, WeightDecayMode = WeightDecayMode.Decoupled });
        using var problem = new Problem();
        using var adam = new Trainer.Core.Optimizers.AdamW(new OptimizerSpec { Kind = OptimizerKind.AdamW, Epsilon = 1e-6 }, problem.Layout, CPU, 1);
        problem.Steps(adam, 1, 3);
        Near.Equal(problem.Theta.Span, lamb, 1e-6, 1e-8);
    }

    [Fact]
    public void A_stack_moves_as_its_slices_would_as_tensors_of_their_own()
    {
        // block.weight [3, 5, 7]: slices of 35 floats, which begin on no vector boundary.
        using var stacked = new Problem();
        using var apart = new Problem(new Layout(Enumerable.Range(0, 3).Select(i => ($"slice{i}", ImmutableArray.Create(5L, 7L), SegmentRole.Parameter))));
        var whole = stacked.Layout.Segments.Single(s => s.Name == "block.weight");
        using var one = Lamb(stacked, new OptimizerSpec { Stacked = ["block.weight"] });
        using var three = Lamb(apart);
        foreach (var slice in apart.Layout.Segments) { Slice(stacked.Theta, slice).CopyTo(apart.Theta.Slice(slice.Offset, 35)); }
        for (var t = 1; t <= 3; t++)
        {
            stacked.SetGradient(t);
            foreach (var slice in apart.Layout.Segments) { Slice(stacked.Gradient, slice).CopyTo(apart.Gradient.Slice(slice.Offset, 35)); }
            one.Step(stacked.Theta, stacked.Gradient, 1, 0.01, t);
            three.Step(apart.Theta, apart.Gradient, 1, 0.01, t);
        }

        foreach (var slice in apart.Layout.Segments) { Assert.Equal(apart.Of(slice.Name), Slice(stacked.Theta, slice).ToArray()); }

        Span<float> Slice(FlatBuffer buffer, Segment slice) => buffer.Slice(whole.Offset + 35 * (slice.Name[^1] - '0'), 35);
    }

    [Fact]
    public void A_stack_that_the_model_does_not_have_is_refused_by_name()
    {
        using var problem = new Problem();
        var error = Assert.Throws<BadInputException>(() => Lamb(problem, new OptimizerSpec { Stacked = ["encoder.weight"] }));
        Assert.Contains("encoder.weight", error.Message, StringComparison.Ordinal);
        Assert.Contains("big.weight", error.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string> Switches => ["paper", "on rate", "uncorrected", "inside root", "l2", "decoupled", "clamp", "clip", "stack", "all"];

    [Theory, MemberData(nameof(Switches))]
    public void As_tensors_it_is_the_same_to_rounding(string switched)
    {
        var spec = switched switch
        {
            "on rate" => new OptimizerSpec { BiasCorrection = BiasCorrection.OnLearningRate },
            "uncorrected" => new OptimizerSpec { BiasCorrection = BiasCorrection.None },
            "inside root" => new OptimizerSpec { EpsilonInsideRoot = true },
            "l2" => new OptimizerSpec { WeightDecayMode = WeightDecayMode.L2InGradient },
            "decoupled" => new OptimizerSpec { WeightDecayMode = WeightDecayMode.Decoupled },
            "clamp" => new OptimizerSpec { NormClamp = new() { Low = 0.5, High = 2 } },
            "clip" => new OptimizerSpec { RatioClip = new() { High = 0.05 } },
            "stack" => new OptimizerSpec { Stacked = ["block.weight"] },
            "all" => new OptimizerSpec { Exclude = ExclusionSpec.Nothing },
            _ => new OptimizerSpec(),
        };
        Near.Equal(After(spec), After(spec, asTensors: true), 2e-6, 1e-8);
    }
}
