using Cluster.Trainer.Core.Collectives;
using Cluster.Trainer.Core.State;

namespace Cluster.Tests.Collectives;

/// <summary>What a canonical sum must be, by the definition: the first k leaves plus the others, k the largest power of two below n.</summary>
internal static class Reference
{
    /// <summary>The leaves of the left child of a run of n leaves; n at least 2.</summary>
    public static int Left(int n)
    {
        var k = 1;
        while (2 * k < n) { k *= 2; }
        return k;
    }

    public static float Sum(ReadOnlySpan<float> leaves)
    {
        if (leaves.Length == 1) { return leaves[0]; }
        var k = Left(leaves.Length);
        return Sum(leaves[..k]) + Sum(leaves[k..]);
    }

    /// <summary>The sum of vectors of equal length, at least one, element by element.</summary>
    public static float[] Sum(ReadOnlySpan<float[]> leaves)
    {
        if (leaves.Length == 1) { return [.. leaves[0]]; }
        var k = Left(leaves.Length);
        var (left, right) = (Sum(leaves[..k]), Sum(leaves[k..]));
        for (var i = 0; i < left.Length; i++) { left[i] += right[i]; }
        return left;
    }

    /// <summary>Every node of the tree over n leaves.</summary>
    public static HashSet<Node> Nodes(int n)
    {
        var nodes = new HashSet<Node>();
        if (n > 0) { Split(new Node(0, n)); }
        return nodes;

        void Split(Node node)
        {
            nodes.Add(node);
            if (node.Count == 1) { return; }
            var k = Left(node.Count);
            Split(new Node(node.First, k));
            Split(new Node(node.First + k, node.Count - k));
        }
    }

    /// <summary>Floats of many magnitudes and both signs: added in another order they give other bits.</summary>
    public static float[] Floats(int length, int seed)
    {
        var random = new Random(seed);
        var floats = new float[length];
        for (var i = 0; i < length; i++) { floats[i] = (random.NextSingle() - 0.5f) * (1 << random.Next(12)); }
        return floats;
    }

    public static float[][] Leaves(int count, int length, int seed) =>
        [.. Enumerable.Range(0, count).Select(leaf => Floats(length, seed * 1000 + leaf))];

    public static FlatBuffer Buffer(ReadOnlySpan<float> floats)
    {
        var buffer = new FlatBuffer(floats.Length);
        if (floats.Length > 0) { floats.CopyTo(buffer.Span); }
        return buffer;
    }

    public static float[] Copy(FlatBuffer buffer) => buffer.Length == 0 ? [] : buffer.Span.ToArray();

    /// <summary>The same bits, which == on floats does not say.</summary>
    public static void SameBits(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            if (BitConverter.SingleToInt32Bits(expected[i]) != BitConverter.SingleToInt32Bits(actual[i]))
            {
                Assert.Fail($"element {i} of {expected.Length} is {actual[i]:R}, not {expected[i]:R}");
            }
        }
    }
}
