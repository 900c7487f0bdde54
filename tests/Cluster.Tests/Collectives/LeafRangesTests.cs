using Cluster.Trainer.Core.Collectives;

namespace Cluster.Tests.Collectives;

public class LeafRangesTests
{
    [Fact]
    public void Ranges_cover_every_leaf_once_in_order_and_differ_by_at_most_one()
    {
        for (var leaves = 0; leaves <= 30; leaves++)
        {
            for (var ranks = 1; ranks <= 9; ranks++)
            {
                var ranges = new LeafRanges(leaves, ranks);
                var next = 0;
                for (var rank = 0; rank < ranks; rank++)
                {
                    Assert.Equal(next, ranges[rank].First);
                    Assert.InRange(ranges[rank].Count, leaves / ranks, (leaves + ranks - 1) / ranks);
                    Assert.Equal(CanonicalTree.Cover(ranges[rank], leaves), ranges.Nodes(rank));
                    next = ranges[rank].End;
                }

                Assert.Equal(leaves, next);
            }
        }
    }

    [Fact]
    public void With_more_ranks_than_leaves_the_last_ranks_have_none()
    {
        var ranges = new LeafRanges(2, 5);
        Assert.Equal([1, 1, 0, 0, 0], Enumerable.Range(0, 5).Select(rank => ranges[rank].Count));
        Assert.Empty(ranges.Nodes(4));
    }

    [Fact]
    public void Impossible_counts_and_ranks_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new LeafRanges(-1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new LeafRanges(1, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new LeafRanges(4, 2)[-1]);
        Assert.Throws<ArgumentOutOfRangeException>(() => new LeafRanges(4, 2)[2]);
    }

    [Fact]
    public void Runs_may_lie_in_any_order_of_ranks()
    {
        var ranges = new LeafRanges(5, [new Node(3, 2), default, new Node(0, 3)]);
        Assert.Equal([2, 0, 1], ranges.Order);
        Assert.Equal([new Node(3, 1), new Node(4, 1)], ranges.Nodes(0));
        Assert.Empty(ranges.Nodes(1));
    }

    [Fact]
    public void Runs_that_leave_a_leaf_out_or_name_it_twice_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new LeafRanges(4, [new Node(0, 2), new Node(3, 1)]));
        Assert.Throws<ArgumentException>(() => new LeafRanges(4, [new Node(0, 3), new Node(2, 2)]));
        Assert.Throws<ArgumentException>(() => new LeafRanges(4, [new Node(0, 3)]));
    }
}
