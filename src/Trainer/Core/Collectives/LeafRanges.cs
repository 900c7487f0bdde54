namespace Cluster.Trainer.Core.Collectives;

/// <summary>
/// Which leaves each rank computes: one contiguous run a rank. By default in the order of the ranks, sizes differing by at most one,
/// and with more ranks than leaves the last ranks have none. Decides who works, never what comes out.
/// </summary>
internal sealed class LeafRanges
{
    private readonly Node[] _runs;
    private readonly IReadOnlyList<Node>[] _nodes;

    public LeafRanges(int leafCount, int ranks) : this(leafCount, Even(leafCount, ranks)) { }

    /// <param name="runs">By rank, in any order of position; together all leaves, each once.</param>
    public LeafRanges(int leafCount, IReadOnlyList<Node> runs)
    {
        LeafCount = leafCount;
        _runs = [.. runs];
        Order = [.. Enumerable.Range(0, _runs.Length).OrderBy(rank => _runs[rank].Count == 0 ? leafCount : _runs[rank].First)];
        var end = 0;
        foreach (var rank in Order.Where(rank => _runs[rank].Count > 0))
        {
            if (_runs[rank].First != end) { throw new ArgumentException($"run {_runs[rank]} of rank {rank} does not follow leaf {end}", nameof(runs)); }
            end = _runs[rank].End;
        }

        if (end != leafCount) { throw new ArgumentException($"the runs end at {end}, the leaves at {leafCount}", nameof(runs)); }
        _nodes = [.. _runs.Select(run => CanonicalTree.Cover(run, leafCount))];
    }

    public int LeafCount { get; }

    public int Ranks => _runs.Length;

    /// <summary>All ranks in the order of their leaves, those without leaves last: the order in which their sums are added.</summary>
    public IReadOnlyList<int> Order { get; }

    /// <summary>The run of leaves of one rank (not always a node of the tree).</summary>
    public Node this[int rank]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(rank);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(rank, Ranks);
            return _runs[rank];
        }
    }

    /// <summary>The nodes whose sums this rank brings to the reduction, in order of position; none without leaves.</summary>
    public IReadOnlyList<Node> Nodes(int rank) => _nodes[rank];

    private static Node[] Even(int leafCount, int ranks)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(leafCount);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(ranks);
        var (size, larger) = Math.DivRem(leafCount, ranks); // The first `larger` ranks take one more.
        return [.. Enumerable.Range(0, ranks).Select(rank => new Node(rank * size + Math.Min(rank, larger), size + (rank < larger ? 1 : 0)))];
    }
}
