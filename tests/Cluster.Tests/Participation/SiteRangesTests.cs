using Cluster.Trainer.Core.Collectives;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Rounds;

namespace Cluster.Tests.Participation;

/// <summary>Who computes which leaf where some belong to sites. Leaves and ranks are written as words: "." is no site.</summary>
public sealed class SiteRangesTests
{
    [Theory]
    [InlineData("a b c", "c a b", "1:0 2:1 0:2")]
    [InlineData("a b c", "c . a b", "2:0 3:1 0:2")]
    [InlineData("a b c", "b .", "0:0 0:1 0:2")] // A leaf that nobody can compute goes with its neighbour.
    [InlineData("a b c", "c a", "1:0 1:1 0:2")]
    [InlineData("a b", ". .", "0:0 0:1")]
    [InlineData("a b", "d e", "0:0 0:1")] // Sites of another job's.
    [InlineData("a", "a a", "0:0")]
    [InlineData(". . . a b", "a . .", "1:0 1:1 2:2 0:3 0:4")]
    [InlineData(". . a", "a", "0:0 0:1 0:2")]
    [InlineData(". . .", ". .", "0:0 0:1 1:2")]
    public void A_sites_leaf_goes_to_its_worker_alone(string leaves, string ranks, string expected)
    {
        var ranges = SiteRanges.Of(Leaves(leaves), [.. Sites(ranks)]);
        var found = from leaf in Enumerable.Range(0, ranges.LeafCount)
                    let rank = Enumerable.Range(0, ranges.Ranks).Single(r => leaf >= ranges[r].First && leaf < ranges[r].End)
                    select $"{rank}:{leaf}";
        Assert.Equal(expected, string.Join(' ', found));
    }

    /// <summary>Whoever is there: each present site's leaf lies with the lowest rank at that site, and the runs are those of a tree.</summary>
    [Fact]
    public void Whoever_comes_and_goes_every_leaf_has_one_rank()
    {
        for (var seed = 0; seed < 2_000; seed++)
        {
            var random = new Random(seed);
            string[] names = [.. Enumerable.Range(0, 6).Select(i => $"s{i}")];
            Leaf[] leaves = [.. Enumerable.Repeat<string?>(null, random.Next(4)).Concat(names.Where(_ => random.Next(2) == 0)).Select((site, i) => new Leaf(i, i, 1) { Site = site })];
            string?[] ranks = [.. Enumerable.Range(0, random.Next(1, 7)).Select(_ => random.Next(3) == 0 ? null : names[random.Next(6)])];

            var ranges = SiteRanges.Of(leaves, ranks);
            Assert.Equal(leaves.Length, Enumerable.Range(0, ranks.Length).Sum(rank => ranges[rank].Count));
            var fold = new CanonicalFold<int>(leaves.Length, (_, left, right) => left + right);
            foreach (var node in ranges.Order.SelectMany(ranges.Nodes)) { fold.Push(node, node.Count); }
            if (leaves.Length > 0) { Assert.Equal(leaves.Length, fold.Total); }

            foreach (var leaf in leaves.Where(leaf => leaf.Site is not null && !SiteRanges.IsAway(leaf, ranks)))
            {
                var run = ranges[Array.IndexOf(ranks, leaf.Site)];
                Assert.True(run.First <= leaf.Index && leaf.Index < run.End, $"seed {seed}: leaf {leaf.Index}");
            }
        }
    }

    [Fact]
    public void Sites_among_other_leaves_are_refused() =>
        Assert.Throws<ArgumentException>(() => SiteRanges.Of(Leaves(". a ."), [null, "a"]));

    private static Leaf[] Leaves(string words) => [.. Sites(words).Select((site, i) => new Leaf(i, i, 1) { Site = site })];

    private static IEnumerable<string?> Sites(string words) => words.Split(' ').Select(word => word == "." ? null : word);
}
