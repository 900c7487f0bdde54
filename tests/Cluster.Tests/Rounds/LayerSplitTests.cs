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

            Assert.Equal(ranks, runs.Length);
            Assert.Equal(Enumerable.Range(0, costs.Length), runs.SelectMany(run => Enumerable.Range(run.First, run.Count)));
            Assert.All(runs[^Math.Min(ranks, costs.Length)..], run => Assert.NotEqual(0, run.Count));
            Assert.Equal(Cheapest(costs, Math.Min(ranks, costs.Length)), runs.Max(run => Cost(costs, run)));
        }
    }

    private static long Cost(long[] costs, LayerRange run) => costs.Skip(run.First).Take(run.Count).Sum();

    /// <summary>By trying every end of the first run.</summary>
    private static long Cheapest(long[] costs, int runs) => runs == 1
        ? costs.Sum()
        : Enumerable.Range(1, costs.Length - runs + 1).Min(end => Math.Max(costs[..end].Sum(), Cheapest(costs[end..], runs - 1)));
}
