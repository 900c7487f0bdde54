using System.Numerics;

namespace Cluster.Trainer.Core.Collectives;

/// <summary>A node of the canonical tree: the sum of the leaves <paramref name="First"/> to First + <paramref name="Count"/> - 1.</summary>
internal readonly record struct Node(int First, int Count)
{
    /// <summary>One past the last leaf.</summary>
    public int End => First + Count;

    public override string ToString() => $"[{First}, {End})";
}

/// <summary>
/// The order in which contributions are added: a binary tree over the leaf positions 0 to n - 1, chosen by n alone. The sum of
/// a run is its one leaf, or the sum of its first k leaves plus the sum of the others, k being the largest power of two below
/// the run's length. A binary counter adds in this very order (pairwise summation: the rounding error grows with log n).
/// </summary>
/// <remarks>
/// Its nodes are the aligned runs [i·2^j, (i+1)·2^j), and the ragged runs [i·2^j, n) that are at most 2^j long.
/// Floating-point addition is not associative, so only sums of whole nodes may travel between workers.
/// </remarks>
internal static class CanonicalTree
{
    /// <summary>The fewest nodes of the tree over <paramref name="leafCount"/> leaves that cover the run exactly, in order of position.</summary>
    public static IReadOnlyList<Node> Cover(Node run, int leafCount)
    {
        if (run.First < 0 || run.Count < 0 || run.End > leafCount)
        {
            throw new ArgumentOutOfRangeException(nameof(run), run, $"leaves lie in [0, {leafCount})");
        }

        var nodes = new List<Node>();
        for (var first = run.First; first < run.End;)
        {
            var left = run.End - first;
            var isRagged = run.End == leafCount && left <= Alignment(first);
            var count = isRagged ? left : (int)Math.Min(Alignment(first), FloorPowerOfTwo(left));
            nodes.Add(new Node(first, count));
            first += count;
        }

        return nodes;
    }

    /// <summary>Whether the two are the children of one node of the tree over <paramref name="leafCount"/> leaves, in this order.</summary>
    public static bool AreSiblings(Node left, Node right, int leafCount) =>
        left.End == right.First
        && BitOperations.IsPow2(left.Count)
        && Alignment(left.First) >= 2L * left.Count
        && (right.Count == left.Count || (right.Count < left.Count && right.End == leafCount));

    /// <summary>The largest power of two that divides the position; without bound for 0.</summary>
    private static long Alignment(int position) => position == 0 ? 1L << 62 : position & -position;

    private static long FloorPowerOfTwo(int count) => 1L << BitOperations.Log2((uint)count);
}
