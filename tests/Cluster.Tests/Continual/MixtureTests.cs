using Cluster.Contracts.Spec.Continual;

namespace Cluster.Tests.Continual;

public sealed class MixtureTests
{
    [Theory]
    [InlineData(0.5, 3, 16, new[] { 16 / 6.0, 16 / 6.0, 16 / 6.0, 8 })]
    [InlineData(0.5, 2, 16, new[] { 4.0, 4, 8 })]
    [InlineData(0.3, 1, 10, new[] { 3.0, 7 })]
    [InlineData(0.1, 1, 10, new[] { 1.0, 9 })]
    public void A_replay_is_shared_by_the_earlier_stages(double share, int stage, int batch, double[] expected)
    {
        var mixture = Mixture.Of(new MixtureSpec.Replay { Share = share }, stage, []);
        Assert.Equal(Enumerable.Range(0, stage + 1), mixture.Sources.Select(source => source.Stage));
        AssertShares(mixture, batch, expected);
    }

    [Fact]
    public void Equal_shares_need_no_decimals() => AssertShares(Mixture.Of(new MixtureSpec.Equal(), 2, []), 16, [16 / 3.0, 16 / 3.0, 16 / 3.0]);

    [Fact]
    public void Named_shares_are_in_the_order_of_the_stages()
    {
        var mixture = Mixture.Of(new MixtureSpec.Shares { Of = [new() { Stage = "c", Share = 0.7 }, new() { Stage = "a", Share = 0.3 }] }, 2, ["a", "b", "c"]);
        Assert.Equal([0, 2], mixture.Sources.Select(source => source.Stage));
        AssertShares(mixture, 10, [3, 7]);
        AssertShares(mixture, 32, [9.6, 22.4]);
    }

    /// <summary>Whatever the shares: every batch is full, no source is below 0, whole shares are exact, and sums stay within one sample.</summary>
    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void Random_mixtures_fill_every_batch_and_keep_their_shares(int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < 200; i++)
        {
            var weights = Enumerable.Range(0, random.Next(1, 7)).Select(_ => random.NextInt64(1, 20)).ToArray();
            var least = (int)((weights.Sum() + weights.Min() - 1) / weights.Min());
            var batch = least + random.Next(50);
            var mixture = new Mixture([.. weights.Select((weight, stage) => (stage, weight))]);
            AssertShares(mixture, batch, [.. weights.Select(weight => (double)weight * batch / weights.Sum())]);
        }
    }

    private static void AssertShares(Mixture mixture, int batch, double[] expected)
    {
        long[] firsts = [0, 1, 2, 3, 4, 5, 6, 7, 97, 98, 1_000_003];
        foreach (var b in firsts)
        {
            var counts = mixture.Sources.Select((_, j) => mixture.CountIn(j, b, batch)).ToArray();
            Assert.Equal(batch, counts.Sum());
            for (var j = 0; j < counts.Length; j++)
            {
                Assert.InRange(counts[j], Math.Max(0, Math.Floor(expected[j] + 1e-9) - 1), Math.Ceiling(expected[j] - 1e-9) + 1);
                if (Math.Abs(expected[j] - Math.Round(expected[j])) < 1e-9) { Assert.Equal((int)Math.Round(expected[j]), counts[j]); }
                Assert.InRange(mixture.CountUpTo(j, b, batch) - (expected[j] * b), -1.001, 1.001);
            }
        }
    }
}
