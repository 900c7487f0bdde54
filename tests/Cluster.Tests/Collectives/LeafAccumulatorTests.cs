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

    /// <summary>At any offsets, in any run: the tail has the sums at once, and the rest when the leaf is committed.</summary>
    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4), InlineData(5)]
    public void A_last_leaf_that_comes_from_its_end_is_added_as_it_comes(int seed)
    {
        const int length = 40;
        var random = new Random(seed);
        using var accumulator = new LeafAccumulator(() => new FlatBuffer(length));
        for (var round = 0; round < 20; round++)
        {
            var leaves = Reference.Leaves(random.Next(1, 40), length, round);
            var ranges = new LeafRanges(leaves.Length, random.Next(1, 5));
            var run = ranges[random.Next(ranges.Ranks)];
            if (run.Count == 0) { continue; }
            accumulator.Begin(run, leaves.Length);
            for (var leaf = run.First; leaf < run.End - 1; leaf++)
            {
                leaves[leaf].CopyTo(accumulator.Next().Span);
                accumulator.Commit(default);
            }

            var last = leaves[run.End - 1];
            var next = accumulator.Next().Span;
            var reached = length;
            next.Fill(float.NaN);
            while (reached > 0 && random.Next(5) > 0)
            {
                var offset = random.Next(reached + 1);
                last.AsSpan(offset, reached - offset).CopyTo(next[offset..]);
                reached = offset;
                foreach (var (node, vector, _) in accumulator.AddTail(offset))
                {
                    Reference.SameBits(Reference.Sum(leaves.AsSpan(node.First, node.Count)).AsSpan(offset), vector.Span[offset..]);
                }

                if (random.Next(8) == 0) { break; }
            }

            if (random.Next(6) == 0) { continue; } // The round is cut short.
            last.AsSpan(0, reached).CopyTo(next);
            accumulator.Commit(default);
            Assert.Equal(CanonicalTree.Cover(run, leaves.Length), accumulator.Nodes.Select(n => n.Node));
            foreach (var (node, vector, _) in accumulator.Nodes) { Reference.SameBits(Reference.Sum(leaves.AsSpan(node.First, node.Count)), vector.Span); }
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
        Assert.Throws<InvalidOperationException>(() => accumulator.AddTail(0));
        Assert.Throws<InvalidOperationException>(() => accumulator.Nodes);

        Assert.Same(accumulator.Next(), accumulator.Next());
        Assert.Throws<InvalidOperationException>(() => accumulator.AddTail(0)); // Of two.
        accumulator.Commit(default);
        Assert.Throws<InvalidOperationException>(() => accumulator.Commit(default));
        Assert.Throws<InvalidOperationException>(() => accumulator.Nodes);

        accumulator.Next();
        accumulator.Commit(default);
        Assert.Throws<InvalidOperationException>(() => accumulator.Next());
    }
}
