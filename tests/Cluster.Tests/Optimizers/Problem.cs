using System.Collections.Immutable;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Optimizers;
using Cluster.Trainer.Core.State;

namespace Cluster.Tests.Optimizers;

/// <summary>A small model's flat state with seeded parameters and gradients.</summary>
internal sealed class Problem : IDisposable
{
    public static readonly (string, ImmutableArray<long>, SegmentRole)[] Tensors =
    [
        ("embed.weight", [300, 32], SegmentRole.Parameter),
        ("block.weight", [3, 5, 7], SegmentRole.Parameter),
        ("block.bias", [7], SegmentRole.Parameter),
        ("norm.mean", [7], SegmentRole.Statistic),
        ("big.weight", [290, 257], SegmentRole.Parameter), // above what one thread takes alone, and no multiple of anything
        ("zero.weight", [4, 4], SegmentRole.Parameter),
    ];

    public Problem(Layout? layout = null)
    {
        Layout = layout ?? new Layout(Tensors);
        Theta = new FlatBuffer(Layout.Length);
        Gradient = new FlatBuffer(Layout.Length);
        foreach (var segment in Layout.Segments.Where(s => s.Name != "zero.weight")) { Fill(Theta, segment, 1, 0.1); }
    }

    public Layout Layout { get; }

    public FlatBuffer Theta { get; }

    public FlatBuffer Gradient { get; }

    /// <summary>Step t's gradient, a function of t and the tensor; every element differs from zero.</summary>
    public void SetGradient(long t, double factor = 1)
    {
        Gradient.Clear();
        foreach (var segment in Layout.Segments) { Fill(Gradient, segment, 100 + t, 0.01 * factor); }
    }

    public void Steps(IOptimizer optimizer, long from, long to, double factor = 1, double scale = 1)
    {
        for (var t = from; t <= to; t++)
        {
            SetGradient(t, factor);
            optimizer.Step(Theta, Gradient, scale, learningRate: 0.01, t);
        }
    }

    public float[] Of(string name)
    {
        var segment = Layout.Segments.Single(s => s.Name == name);
        return Theta.Slice(segment.Offset, segment.Length).ToArray();
    }

    private static void Fill(FlatBuffer buffer, Segment segment, long seed, double size)
    {
        var name = segment.Name.Aggregate(0L, (hash, letter) => hash * 31 + letter);
        var random = new SeededRandom(Seeds.Derive(seed, SeedPurpose.InitialWeights, name));
        foreach (ref var value in buffer.Slice(segment.Offset, segment.Length)) { value = (float)((random.NextDouble() + 0.01) * size * (random.NextInt(2) == 0 ? 1 : -1)); }
    }

    public void Dispose()
    {
        Theta.Dispose();
        Gradient.Dispose();
    }
}

internal static class Near
{
    /// <summary>|wanted - found| ≤ relative·|wanted| + absolute, element by element.</summary>
    public static void Equal(ReadOnlySpan<float> wanted, ReadOnlySpan<float> found, double relative, double absolute = 1e-9)
    {
        Assert.Equal(wanted.Length, found.Length);
        for (var i = 0; i < wanted.Length; i++)
        {
            if (!(Math.Abs((double)wanted[i] - found[i]) <= absolute + relative * Math.Abs(wanted[i])))
            {
                Assert.Fail($"element {i}: wanted {wanted[i]:R}, found {found[i]:R}");
            }
        }
    }
}
