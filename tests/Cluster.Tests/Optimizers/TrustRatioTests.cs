using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Optimizers;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Methods.Lamb;
using static TorchSharp.torch;

namespace Cluster.Tests.Optimizers;

/// <summary>What the record says of the layers' ratios: those of the step itself, bounded in layers and in rounds.</summary>
public class TrustRatioTests
{
    private static IOptimizer Create(OptimizerKind kind, Problem problem, bool asTensors, OptimizerSpec? spec = null) => kind == OptimizerKind.Lamb
        ? new LambOptimizer(spec ?? new() { Kind = kind }, problem.Layout, CPU, threads: 2, asTensors)
        : new LarsOptimizer(spec ?? new() { Kind = kind }, problem.Layout, CPU, threads: 2, asTensors);

    [Theory]
    [InlineData(OptimizerKind.Lamb)]
    [InlineData(OptimizerKind.Lars)]
    public void They_are_those_of_the_last_step_alike_on_a_cpu_and_elsewhere(OptimizerKind kind)
    {
        using var problem = new Problem();
        using var other = new Problem();
        using var cpu = Create(kind, problem, asTensors: false);
        using var tensors = Create(kind, other, asTensors: true);
        problem.Steps(cpu, 1, 2);
        other.Steps(tensors, 1, 2);

        var ratios = cpu.Ratios();
        Assert.Equal(["embed.weight", "block.weight", "big.weight", "zero.weight"], ratios.Select(ratio => ratio.Layer)); // The bias is not adapted.
        Assert.All(ratios.Take(3), ratio => Assert.True(ratio.Ratio is > 0 and not 1, $"{ratio}"));
        foreach (var (one, same) in ratios.Zip(tensors.Ratios()))
        {
            Assert.Equal(one.Layer, same.Layer);
            Assert.Equal(one.Ratio, same.Ratio, one.Ratio * 1e-5);
        }
    }

    [Fact]
    public void Reading_them_changes_no_bit_of_the_weights()
    {
        using var read = new Problem();
        using var unread = new Problem();
        using var reader = Create(OptimizerKind.Lamb, read, asTensors: false);
        using var other = Create(OptimizerKind.Lamb, unread, asTensors: false);
        for (var t = 1; t <= 3; t++)
        {
            read.Steps(reader, t, 1);
            unread.Steps(other, t, 1);
            reader.Ratios();
        }

        Assert.Equal(unread.Theta.Span.ToArray(), read.Theta.Span.ToArray());
    }

    [Fact]
    public void A_clip_shows_in_them()
    {
        using var problem = new Problem();
        using var lamb = Create(OptimizerKind.Lamb, problem, asTensors: false, new OptimizerSpec { RatioClip = new() { High = 0.05 } });
        problem.Steps(lamb, 1, 1);
        Assert.Equal(0.05, lamb.Ratios()[0].Ratio);
    }

    [Fact]
    public void Few_layers_are_all_told_and_many_are_spread_over_the_depth()
    {
        LayerRatio[] Layers(int count) => [.. Enumerable.Range(1, count).Select(i => new LayerRatio($"layer{i}", i))];
        Assert.Equal([new("trustRatio.1.layer1", 1), new("trustRatio.2.layer2", 2)], TrustRatioRecord.Of(Layers(2)).OrderBy(value => value.Value));
        Assert.Empty(TrustRatioRecord.Of([]));
        Assert.Equal("trustRatio.1.layer1", Assert.Single(TrustRatioRecord.Of(Layers(1))).Key);
        Assert.Single(TrustRatioRecord.Of([new("finite", 1), new("not", double.NaN)]));

        var many = TrustRatioRecord.Of(Layers(1_000));
        Assert.Equal(TrustRatioRecord.MaxLayers, many.Count);
        Assert.Equal((1, 1_000), (many.Values.Min(), many.Values.Max()));
    }

    [Fact]
    public void Rounds_are_told_the_sparser_the_longer_the_job_has_run()
    {
        int Due(long from, long to) => Enumerable.Range((int)from, (int)(to - from)).Count(round => TrustRatioRecord.IsDue(round));
        Assert.Equal(255, Due(1, 256));
        foreach (var from in (long[])[256, 1024, 65536]) { Assert.Equal(128, Due(from, 2 * from)); }
        Assert.InRange(Due(1, 100_001), 1_000, 1_500);
    }
}
