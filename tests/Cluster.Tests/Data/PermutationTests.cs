using Cluster.Trainer.Core.Data;

namespace Cluster.Tests.Data;

public sealed class PermutationTests
{
    [Fact]
    public void Every_count_up_to_2000_gives_a_bijection()
    {
        for (var count = 1; count <= 2000; count++)
        {
            var order = new Permutation((ulong)count * 77, count);
            var seen = new bool[count];
            for (var i = 0; i < count; i++)
            {
                var x = order[i];
                Assert.True(x >= 0 && x < count && !seen[x], $"count {count}: place {i} gives {x}");
                seen[x] = true;
            }
        }
    }

    [Theory, InlineData(60_000), InlineData(65_536), InlineData(65_537), InlineData(1_000_003)]
    public void Large_counts_give_a_bijection(int count)
    {
        var order = new Permutation(9, count);
        var seen = new bool[count];
        for (var i = 0; i < count; i++) { seen[order[i]] = true; }
        Assert.DoesNotContain(false, seen);
    }

    [Theory, InlineData(1L << 32), InlineData((1L << 40) + 1), InlineData(long.MaxValue)]
    public void Huge_counts_stay_inside_and_do_not_repeat(long count)
    {
        var order = new Permutation(3, count);
        var seen = new HashSet<long>();
        for (var i = 0L; i < 20_000; i++)
        {
            Assert.True(seen.Add(order[i]) && seen.Add(order[count - 1 - i]), $"place {i} from an end repeats");
        }

        Assert.All(seen, x => Assert.InRange(x, 0, count - 1));
    }

    [Fact]
    public void A_place_outside_is_refused()
    {
        var order = new Permutation(1, 10);
        Assert.Throws<ArgumentOutOfRangeException>(() => order[-1]);
        Assert.Throws<ArgumentOutOfRangeException>(() => order[10]);
        Assert.Throws<ArgumentOutOfRangeException>(() => new Permutation(1, 0));
    }

    /// <summary>The order is part of every job's answer; a change of the network or the mixer must fail here. The numbers come from a separate program.</summary>
    [Fact]
    public void The_numbers_never_change()
    {
        var order = new Permutation(42, 10);
        Assert.Equal(s_goldenOrder, Enumerable.Range(0, 10).Select(i => order[i]));
    }

    private static readonly long[] s_goldenOrder = [5, 6, 0, 2, 7, 1, 9, 8, 4, 3];

    /// <summary>
    /// Chi-square over (place, element) with 20,000 keys: (count - 1)^2 degrees of freedom. The bound is 6 deviations above
    /// the mean; keys are fixed, so this either always passes or never.
    /// </summary>
    [Theory, InlineData(2), InlineData(3), InlineData(7), InlineData(16), InlineData(100)]
    public void Every_element_comes_to_every_place_equally_often(int count)
    {
        const int keys = 20_000;
        var hits = new int[count, count];
        for (var key = 0; key < keys; key++)
        {
            var order = new Permutation(Trainer.Core.Seeds.Mix((ulong)key), count);
            for (var i = 0; i < count; i++) { hits[i, order[i]]++; }
        }

        AssertUniform(hits.Cast<int>(), expected: (double)keys / count, freedom: (count - 1.0) * (count - 1));
    }

    /// <summary>All 120 orders of five elements, chi-square over 120,000 keys.</summary>
    [Fact]
    public void Every_order_of_five_comes_equally_often()
    {
        const int keys = 120_000;
        var hits = new Dictionary<long, int>();
        for (var key = 0; key < keys; key++)
        {
            var order = new Permutation(Trainer.Core.Seeds.Mix((ulong)key), 5);
            var name = Enumerable.Range(0, 5).Aggregate(0L, (sum, i) => sum * 5 + order[i]);
            hits[name] = hits.GetValueOrDefault(name) + 1;
        }

        Assert.Equal(120, hits.Count);
        AssertUniform(hits.Values, expected: keys / 120.0, freedom: 119);
    }

    /// <summary>Neighbours in the shuffled order must not stay neighbours: chi-square over the differences mod count.</summary>
    [Fact]
    public void Steps_between_neighbours_are_uniform()
    {
        const int count = 60_000, bins = 100;
        var order = new Permutation(5, count);
        var hits = new int[bins];
        for (var i = 0; i + 1 < count; i++) { hits[(order[i + 1] - order[i] + count) % count * bins / count]++; }
        AssertUniform(hits, expected: (count - 1.0) / bins, freedom: bins - 1);
    }

    private static void AssertUniform(IEnumerable<int> hits, double expected, double freedom)
    {
        var chiSquare = hits.Sum(hit => (hit - expected) * (hit - expected) / expected);
        var bound = freedom + 6 * Math.Sqrt(2 * freedom) + 12; // Wilson's tail for small freedom needs the constant.
        Assert.True(chiSquare < bound, $"chi-square {chiSquare:F1}, bound {bound:F1}, {freedom} degrees of freedom");
    }
}
