using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Optimizers;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Methods.Lamb;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Cluster.Tests.Optimizers;

/// <summary>AdamW and SGD against TorchSharp's own, LARS and all others as tensors against their kernels.</summary>
public class BaselineTests
{
    private const int Steps = 5;

    /// <summary>The same steps by an optimiser of TorchSharp, one parameter a tensor, with no tensor left out of the decay.</summary>
    private static void AgreesWith(OptimizerSpec spec, Func<IEnumerable<Parameter>, optim.Optimizer> create)
    {
        using var problem = new Problem();
        using var scope = NewDisposeScope();
        var theirs = problem.Layout.Parameters.Select(s => new Parameter(tensor(problem.Of(s.Name)))).ToArray();
        var optimizer = create(theirs);
        using var ours = OptimizerFactory.Create(spec, problem.Layout, CPU);
        for (var t = 1; t <= Steps; t++)
        {
            problem.SetGradient(t);
            foreach (var (parameter, segment) in theirs.Zip(problem.Layout.Parameters))
            {
                parameter.grad = tensor(problem.Gradient.Slice(segment.Offset, segment.Length).ToArray());
            }

            optimizer.step();
            ours.Step(problem.Theta, problem.Gradient, 1, 0.01, t);
        }

        foreach (var (parameter, segment) in theirs.Zip(problem.Layout.Parameters))
        {
            Near.Equal(parameter.data<float>().ToArray(), problem.Of(segment.Name), 2e-6, 1e-7);
        }
    }

    [Fact]
    public void AdamW_is_TorchSharps() => AgreesWith(
        new OptimizerSpec { Kind = OptimizerKind.AdamW, Exclude = ExclusionSpec.Nothing, WeightDecay = 0.1 },
        parameters => optim.AdamW(parameters, lr: 0.01, weight_decay: 0.1));

    [Fact]
    public void Adam_is_TorchSharps() => AgreesWith(
        new OptimizerSpec { Kind = OptimizerKind.Adam, Exclude = ExclusionSpec.Nothing, WeightDecay = 0.1 },
        parameters => optim.Adam(parameters, lr: 0.01, weight_decay: 0.1));

    [Theory]
    [InlineData(0.9, false), InlineData(0.9, true), InlineData(0, false)]
    public void Sgd_is_TorchSharps(double momentum, bool nesterov) => AgreesWith(
        new OptimizerSpec { Kind = OptimizerKind.Sgd, Exclude = ExclusionSpec.Nothing, WeightDecay = 0.1, Momentum = momentum, Nesterov = nesterov },
        parameters => optim.SGD(parameters, 0.01, momentum: momentum, weight_decay: 0.1, nesterov: nesterov));

    public static TheoryData<OptimizerKind, bool> Kinds => new()
    {
        { OptimizerKind.Lars, false }, { OptimizerKind.Lars, true }, { OptimizerKind.AdamW, false }, { OptimizerKind.Sgd, false }, { OptimizerKind.Sgd, true },
        { OptimizerKind.Adam, false },
    };

    public static TheoryData<OptimizerKind, bool> Elementwise => new()
    {
        { OptimizerKind.AdamW, false }, { OptimizerKind.AdamW, true }, { OptimizerKind.Sgd, false }, { OptimizerKind.Sgd, true }, { OptimizerKind.Adam, false },
    };

    /// <summary>Part by part it is what it is at once; a part that is left out stays, moments and all.</summary>
    [Theory, MemberData(nameof(Elementwise))]
    public void Parts_are_updated_by_themselves(OptimizerKind kind, bool asTensors)
    {
        var spec = new OptimizerSpec { Kind = kind };
        using Problem whole = new(), parts = new();
        using var wholeStep = Create(spec, whole, 1, asTensors);
        using var partStep = (IElementwiseOptimizer)Create(spec, parts, 1, asTensors);
        whole.Steps(wholeStep, 1, 2);
        for (var t = 1; t <= 2; t++)
        {
            parts.SetGradient(t);
            foreach (var prefix in (string[])["embed.", "block.", "big.", "zero."]) { partStep.Step(Part.Named(parts.Layout, prefix), parts.Theta, parts.Gradient, 1, 0.01, t); }
        }

        Assert.Equal(whole.Theta.Span.ToArray(), parts.Theta.Span.ToArray());

        var before = parts.Theta.Span.ToArray();
        var moments = partStep.Moments[0].Buffer.Span.ToArray();
        partStep.Step(Part.Named(parts.Layout, "block.", decay: 0.5), parts.Theta, parts.Gradient, 1, 0.01, 3);
        foreach (var segment in parts.Layout.Parameters)
        {
            var range = (int)segment.Offset..(int)segment.End;
            var moved = segment.Name.StartsWith("block.", StringComparison.Ordinal);
            Assert.Equal(moved, !before[range].SequenceEqual(parts.Theta.Span[range].ToArray()));
            Assert.Equal(moved, !moments[range].SequenceEqual(partStep.Moments[0].Buffer.Span[range].ToArray()));
        }
    }

    [Fact]
    public void A_part_may_have_a_decay_of_its_own_which_spares_biases_too()
    {
        using Problem own = new(), other = new();
        using var ownStep = new Sgd(new OptimizerSpec { Kind = OptimizerKind.Sgd, WeightDecay = 0.25 }, own.Layout, CPU, 1);
        using var otherStep = new Sgd(new OptimizerSpec { Kind = OptimizerKind.Sgd, WeightDecay = 0 }, other.Layout, CPU, 1);
        own.SetGradient(1);
        other.SetGradient(1);
        ownStep.Step(own.Theta, own.Gradient, 1, 0.01, 1);
        otherStep.Step(Part.All(other.Layout) with { Decay = 0.25 }, other.Theta, other.Gradient, 1, 0.01, 1);
        Assert.Equal(own.Theta.Span.ToArray(), other.Theta.Span.ToArray());
    }

    [Theory, MemberData(nameof(Kinds))]
    public void As_tensors_they_are_the_same_to_rounding(OptimizerKind kind, bool nesterov)
    {
        var spec = new OptimizerSpec { Kind = kind, Nesterov = nesterov };
        Near.Equal(After(spec, threads: 1, asTensors: false), After(spec, threads: 1, asTensors: true), 2e-6, 1e-8);
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Any_number_of_threads_gives_the_same_bits(OptimizerKind kind, bool nesterov)
    {
        var spec = new OptimizerSpec { Kind = kind, Nesterov = nesterov };
        Assert.Equal(After(spec, threads: 1, asTensors: false), After(spec, threads: 3, asTensors: false));
    }

    private static float[] After(OptimizerSpec spec, int threads, bool asTensors)
    {
        using var problem = new Problem();
        using var optimizer = Create(spec, problem, threads, asTensors);
        problem.Steps(optimizer, 1, Steps);
        return problem.Theta.Span.ToArray();
    }

    private static IOptimizer Create(OptimizerSpec spec, Problem problem, int threads, bool asTensors) => spec.Kind switch
    {
        OptimizerKind.Lars => new LarsOptimizer(spec, problem.Layout, CPU, threads, asTensors),
        OptimizerKind.AdamW or OptimizerKind.Adam => new Trainer.Core.Optimizers.AdamW(spec, problem.Layout, CPU, threads, asTensors),
        _ => new Sgd(spec, problem.Layout, CPU, threads, asTensors),
    };
}
