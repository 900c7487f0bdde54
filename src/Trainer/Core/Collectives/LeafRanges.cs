namespace Cluster.Trainer.Core.Collectives;

/// <summary>
/// Which leaves each rank computes: one contiguous run a rank, in the order of the ranks, sizes differing by at most one.
/// With more ranks than leaves the last ranks have none. Decides who works, never what comes out.
/// </summary>
internal sealed class LeafRanges
{
    private readonly IReadOnlyList<Node>[] _nodes;

    public LeafRanges(int leafCount, int ranks)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(leafCount);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(ranks);
        LeafCount = leafCount;
        Ranks = ranks;
        _nodes = [.. Enumerable.Range(0, ranks).Select(rank => CanonicalTree.Cover(this[rank], leafCount))];
    }

    public int LeafCount { get; }

    public int Ranks { get; }

    /// <summary>The run of leaves of one rank (not always a node of the tree).</summary>
    public Node this[int rank]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(rank);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(rank, Ranks);
            var (size, larger) = Math.DivRem(LeafCount, Ranks); // The first `larger` ranks take one more.
            return new Node(rank * size + Math.Min(rank, larger), size + (rank < larger ? 1 : 0));
        }
    }

    /// <summary>The nodes whose sums this rank brings to the reduction, in order of position; none without leaves.</summary>
    public IReadOnlyList<Node> Nodes(int rank) => _nodes[rank];
}
