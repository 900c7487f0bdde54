using Cluster.Trainer.Methods;
using Cluster.Trainer.Rounds;

namespace Cluster.Tests.Rounds;

public sealed class LayerSplitTests
{
    [Theory]
    [InlineData(new long[] { 5, 5, 5, 5 }, 2, "0+2 2+2")]
    [InlineData(new long[] { 5, 5, 5, 5 }, 1, "0+4")]
    [InlineData(new long[] { 9, 1, 1, 1 }, 2, "0+1 1+3")]
    [InlineData(new long[] { 1, 1, 1, 9 }, 2, "0+3 3+1")]
    [InlineData(new long[] { 3, 3, 3 }, 3, "0+1 1+1 2+1")]
    [InlineData(new long[] { 7, 7 }, 4, "0+0 0+0 0+1 1+1")]
    public void Runs_are_as_equal_as_they_can_be(long[] costs, int ranks, string runs) =>
        Assert.Equal(runs, string.Join(' ', LayerSplit.Of(costs, ranks).Select(run => $"{run.First}+{run.Count}")));

    [Fact]
    public void No_split_has_a_cheaper_dearest_run()
    {
        var random = new Random(1);
        for (var i = 0; i < 500; i++)
        {
            var costs = Enumerable.Range(0, random.Next(1, 8)).Select(_ => random.NextInt64(1, 20)).ToArray();
            var ranks = random.Next(1, 9);
            var runs = LayerSplit.Of(costs, ranks);

            Assert.Equal(ranks, runs.Count);
            Assert.Equal(Enumerable.Range(0, costs.Length), runs.SelectMany(run => Enumerable.Range(run.First, run.Count)));
            Assert.All(runs.TakeLast(Math.Min(ranks, costs.Length)), run => Assert.NotEqual(0, run.Count));
            Assert.Equal(Cheapest(costs, Math.Min(ranks, costs.Length)), runs.Max(run => Cost(costs, run)));
        }
    }

    /// <summary>Ranks of different speed: the first barrier leads to a split that no other beats by a tenth, and there it rests.</summary>
    [Fact]
    public void Measured_times_lead_to_a_split_that_rests()
    {
        var random = new Random(2);
        for (var i = 0; i < 200; i++)
        {
            var costs = Enumerable.Range(0, random.Next(3, 9)).Select(_ => random.NextInt64(100, 200)).ToArray();
            var paces = Enumerable.Range(0, random.Next(2, 4)).Select(_ => random.Next(1, 5)).ToArray();
            var first = LayerSplit.Of(costs, paces.Length);
            var runs = LayerSplit.Rebalanced(costs, first, Times(first));

            Assert.Equal(runs, LayerSplit.Rebalanced(costs, runs, Times(runs)));
            Assert.InRange(Times(runs).Max(), 0, Best(costs, paces) / 0.9);

            long[] Times(IReadOnlyList<LayerRange> of) => [.. of.Select((run, rank) => Cost(costs, run) * paces[rank])];
        }
    }

    [Theory]
    [InlineData(new long[] { 10, 10 }, "0+2 2+2")]
    [InlineData(new long[] { 10, 11 }, "0+2 2+2")] // Too little to be won.
    [InlineData(new long[] { 10, 40 }, "0+3 3+1")]
    [InlineData(new long[] { 0, 0 }, "0+2 2+2")]
    public void A_slow_run_gives_layers_away(long[] times, string runs) =>
        Assert.Equal(runs, string.Join(' ', LayerSplit.Rebalanced([5, 5, 5, 5], LayerSplit.Of([5, 5, 5, 5], 2), times).Select(run => $"{run.First}+{run.Count}")));

    private static long Cost(long[] costs, LayerRange run) => costs.Skip(run.First).Take(run.Count).Sum();

    /// <summary>Of the slowest rank, by trying every end of the first run.</summary>
    private static double Best(long[] costs, int[] paces) => paces.Length == 1
        ? costs.Sum() * paces[0]
        : Enumerable.Range(1, costs.Length - paces.Length + 1).Min(end => Math.Max(costs[..end].Sum() * paces[0], Best(costs[end..], paces[1..])));

    /// <summary>By trying every end of the first run.</summary>
    private static long Cheapest(long[] costs, int runs) => runs == 1
        ? costs.Sum()
        : Enumerable.Range(1, costs.Length - runs + 1).Min(end => Math.Max(costs[..end].Sum(), Cheapest(costs[end..], runs - 1)));
}
