using Cluster.Trainer.Core.Collectives;

namespace Cluster.Tests.Collectives;

public class CanonicalFoldTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 40)];

    [Theory, MemberData(nameof(Seeds))]
    public void Any_partition_gives_the_bits_of_a_single_worker(int seed)
    {
        var random = new Random(seed);
        var n = random.Next(1, 300);
        var leaves = Reference.Floats(n, seed);
        var expected = Reference.Sum(leaves);

        Reference.SameBits([expected], [Fold([new Node(0, n)], leaves)]);
        for (var trial = 0; trial < 10; trial++)
        {
            var cuts = Enumerable.Range(0, random.Next(8)).Select(_ => random.Next(n + 1)).Append(0).Append(n).Order().ToArray();
            var runs = cuts.Zip(cuts.Skip(1), (a, b) => new Node(a, b - a));
            Reference.SameBits([expected], [Fold(runs, leaves)]);
        }
    }

    /// <summary>Each run adds up its own leaves one by one; the sums of its nodes then meet those of the others.</summary>
    private static float Fold(IEnumerable<Node> runs, float[] leaves)
    {
        var total = new CanonicalFold<float>(leaves.Length, (_, left, right) => left + right);
        foreach (var run in runs)
        {
            var own = new CanonicalFold<float>(leaves.Length, (_, left, right) => left + right);
            for (var leaf = run.First; leaf < run.End; leaf++) { own.Push(new Node(leaf, 1), leaves[leaf]); }
            Assert.Equal(CanonicalTree.Cover(run, leaves.Length), own.Nodes.Select(n => n.Node));
            foreach (var (node, value) in own.Nodes) { total.Push(node, value); }
        }

        return total.Total;
    }

    [Fact]
    public void The_order_shows_in_the_bits_of_these_floats()
    {
        // Otherwise the tests of this folder could not fail.
        var leaves = Reference.Floats(64, 1);
        var leftToRight = 0f;
        foreach (var leaf in leaves) { leftToRight += leaf; }
        Assert.NotEqual(leftToRight, Reference.Sum(leaves));
    }

    [Fact]
    public void The_stack_is_as_short_as_a_binary_counter()
    {
        const int n = 1023;
        var fold = new CanonicalFold<int>(n, (_, left, right) => left + right);
        for (var leaf = 0; leaf < n; leaf++)
        {
            fold.Push(new Node(leaf, 1), 1);
            Assert.InRange(fold.Nodes.Count, 1, 10);
        }

        Assert.Equal(n, fold.Total);
    }

    [Fact]
    public void A_gap_and_a_repetition_are_refused()
    {
        var fold = new CanonicalFold<int>(4, (_, left, right) => left + right);
        fold.Push(new Node(0, 1), 1);
        Assert.Throws<ArgumentException>(() => fold.Push(new Node(2, 1), 1));
        Assert.Throws<ArgumentException>(() => fold.Push(new Node(0, 1), 1));
    }

    [Fact]
    public void There_is_no_total_before_all_leaves_are_in()
    {
        var fold = new CanonicalFold<int>(3, (_, left, right) => left + right);
        Assert.Throws<InvalidOperationException>(() => fold.Total);
        fold.Push(new Node(0, 2), 2);
        Assert.Throws<InvalidOperationException>(() => fold.Total);
        fold.Push(new Node(2, 1), 1);
        Assert.Equal(3, fold.Total);
        fold.Clear();
        Assert.Throws<InvalidOperationException>(() => fold.Total);
    }

    [Fact]
    public void A_sum_that_begins_behind_the_first_leaf_is_no_total()
    {
        var fold = new CanonicalFold<int>(3, (_, left, right) => left + right);
        fold.Push(new Node(1, 1), 1);
        fold.Push(new Node(2, 1), 1);
        Assert.Throws<InvalidOperationException>(() => fold.Total);
    }
}
