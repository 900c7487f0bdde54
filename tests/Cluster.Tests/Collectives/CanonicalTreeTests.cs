using Cluster.Trainer.Core.Collectives;

namespace Cluster.Tests.Collectives;

public class CanonicalTreeTests
{
    private const int Most = 40;

    [Fact]
    public void A_cover_is_the_fewest_nodes_of_the_tree_that_cover_the_run_exactly()
    {
        for (var n = 0; n <= Most; n++)
        {
            var nodes = Reference.Nodes(n);
            for (var first = 0; first <= n; first++)
            {
                for (var count = 0; first + count <= n; count++)
                {
                    var run = new Node(first, count);
                    Assert.Equal(Fewest(run, n), CanonicalTree.Cover(run, n));
                    Assert.All(CanonicalTree.Cover(run, n), node => Assert.Contains(node, nodes));
                }
            }
        }
    }

    /// <summary>The maximal nodes inside the run, from the root down.</summary>
    private static List<Node> Fewest(Node run, int n)
    {
        var cover = new List<Node>();
        if (run.Count > 0) { Visit(new Node(0, n)); }
        return cover;

        void Visit(Node node)
        {
            if (node.End <= run.First || node.First >= run.End) { return; }
            if (node.First >= run.First && node.End <= run.End)
            {
                cover.Add(node);
                return;
            }

            var k = Reference.Left(node.Count);
            Visit(new Node(node.First, k));
            Visit(new Node(node.First + k, node.Count - k));
        }
    }

    [Fact]
    public void Two_nodes_are_siblings_exactly_when_one_node_splits_into_them()
    {
        for (var n = 1; n <= Most; n++)
        {
            var nodes = Reference.Nodes(n);
            var pairs = nodes.Where(node => node.Count > 1).Select(node =>
            {
                var k = Reference.Left(node.Count);
                return (new Node(node.First, k), new Node(node.First + k, node.Count - k));
            }).ToHashSet();
            foreach (var left in nodes)
            {
                foreach (var right in nodes)
                {
                    Assert.True(pairs.Contains((left, right)) == CanonicalTree.AreSiblings(left, right, n), $"{left} and {right} of {n}");
                }
            }
        }
    }

    [Theory]
    [InlineData(-1, 2, 4), InlineData(0, -1, 4), InlineData(0, 5, 4), InlineData(4, 1, 4), InlineData(0, 1, 0)]
    public void A_run_outside_the_leaves_is_refused(int first, int count, int leaves) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => CanonicalTree.Cover(new Node(first, count), leaves));

    [Theory]
    [InlineData(1 << 30), InlineData(int.MaxValue), InlineData((1 << 30) + 1)]
    public void The_largest_counts_do_not_overflow(int n)
    {
        Assert.Equal([new Node(0, n)], CanonicalTree.Cover(new Node(0, n), n));
        var cover = CanonicalTree.Cover(new Node(1, n - 1), n);
        Assert.Equal(n, cover[^1].End);
        Assert.Equal(n - 1, cover.Sum(node => (long)node.Count));
        Assert.InRange(cover.Count, 1, 31);
    }
}
