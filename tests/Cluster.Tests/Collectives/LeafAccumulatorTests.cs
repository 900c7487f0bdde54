using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Collectives;
using Cluster.Trainer.Core.State;

namespace Cluster.Tests.Collectives;

public class LeafAccumulatorTests
{
    private const int Length = 5;

    private static LeafAccumulator Create() => new(() => new FlatBuffer(Length));

    private static void Add(LeafAccumulator accumulator, ReadOnlySpan<float> leaf)
    {
        leaf.CopyTo(accumulator.Next().Span);
        accumulator.Commit(new Tally(1, 2, leaf[0], 0, 1));
    }

    [Theory]
    [InlineData(1, 1), InlineData(2, 1), InlineData(13, 1), InlineData(13, 3), InlineData(37, 4), InlineData(64, 7), InlineData(5, 5)]
    public void Every_node_has_the_bits_of_the_recursion(int leafCount, int ranks)
    {
        var ranges = new LeafRanges(leafCount, ranks);
        using var accumulator = Create();
        for (var round = 0; round < 3; round++)
        {
            var leaves = Reference.Leaves(leafCount, Length, round);
            for (var rank = 0; rank < ranks; rank++)
            {
                accumulator.Begin(ranges[rank], leafCount);
                for (var leaf = ranges[rank].First; leaf < ranges[rank].End; leaf++) { Add(accumulator, leaves[leaf]); }

                Assert.Equal(ranges.Nodes(rank), accumulator.Nodes.Select(n => n.Node));
                foreach (var (node, vector, tally) in accumulator.Nodes)
                {
                    Reference.SameBits(Reference.Sum(leaves.AsSpan(node.First, node.Count)), vector.Span);
                    Assert.Equal(node.Count, tally.Leaves);
                    Assert.Equal(2 * node.Count, tally.Weight);
                }
            }
        }
    }

    [Fact]
    public void It_holds_as_many_vectors_as_a_binary_counter_has_digits_round_after_round()
    {
        const int leafCount = 1000;
        using var accumulator = Create();
        var leaf = Reference.Floats(Length, 1);
        for (var round = 0; round < 4; round++)
        {
            accumulator.Begin(new Node(0, leafCount), leafCount);
            for (var i = 0; i < leafCount; i++) { Add(accumulator, leaf); }
            Assert.Single(accumulator.Nodes);
        }

        Assert.InRange(accumulator.BufferCount, 1, 11); // Ten digits, and the one being written.
    }

    [Fact]
    public void A_round_that_was_cut_short_leaves_nothing_behind()
    {
        var leaves = Reference.Leaves(4, Length, 3);
        using var accumulator = Create();
        accumulator.Begin(new Node(0, 4), 4);
        Add(accumulator, leaves[3]);
        leaves[2].CopyTo(accumulator.Next().Span);

        accumulator.Begin(new Node(0, 4), 4);
        foreach (var leaf in leaves) { Add(accumulator, leaf); }

        Reference.SameBits(Reference.Sum(leaves), Assert.Single(accumulator.Nodes).Vector.Span);
    }

    [Fact]
    public void A_run_without_leaves_has_no_nodes()
    {
        using var accumulator = Create();
        accumulator.Begin(new Node(3, 0), 3);
        Assert.Empty(accumulator.Nodes);
        Assert.Throws<InvalidOperationException>(() => accumulator.Next());
        Assert.Equal(0, accumulator.BufferCount);
    }

    [Fact]
    public void Steps_out_of_order_are_refused()
    {
        using var accumulator = Create();
        accumulator.Begin(new Node(0, 2), 2);
        Assert.Throws<InvalidOperationException>(() => accumulator.Commit(default));
        Assert.Throws<InvalidOperationException>(() => accumulator.Nodes);

        Assert.Same(accumulator.Next(), accumulator.Next());
        accumulator.Commit(default);
        Assert.Throws<InvalidOperationException>(() => accumulator.Commit(default));
        Assert.Throws<InvalidOperationException>(() => accumulator.Nodes);

        accumulator.Next();
        accumulator.Commit(default);
        Assert.Throws<InvalidOperationException>(() => accumulator.Next());
    }
}
