using Cluster.Trainer.Methods;

namespace Cluster.Trainer.Rounds;

/// <summary>Which layers each rank owns: consecutive runs, from the bottom up, so that the slowest rank is as fast as it can be.</summary>
internal static class LayerSplit
{
    /// <summary>
    /// The split whose dearest run is cheapest. With more ranks than layers the lowest ranks have none; they make the samples ready.
    /// </summary>
    /// <param name="costs">Of the layers, from the bottom up; at least one.</param>
    public static LayerRange[] Of(IReadOnlyList<long> costs, int ranks)
    {
        ArgumentOutOfRangeException.ThrowIfZero(costs.Count);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(ranks);
        var runs = new LayerRange[ranks];
        var busy = Math.Min(ranks, costs.Count);
        var bound = Cheapest(costs, busy);
        var end = costs.Count;
        for (var rank = ranks - 1; rank >= 0; rank--) // From the top: as much as fits under the bound, and one layer for each rank below that is busy.
        {
            var below = rank - (ranks - busy);
            var first = end;
            for (var sum = 0L; first > Math.Max(0, below) && sum + costs[first - 1] <= bound; first--) { sum += costs[first - 1]; }
            runs[rank] = new LayerRange(first, end - first);
            end = first;
        }

        return runs;
    }

    /// <summary>The least cost of the dearest of so many runs.</summary>
    private static long Cheapest(IReadOnlyList<long> costs, int runs)
    {
        var (low, high) = (costs.Max(), costs.Sum());
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            if (Needed(costs, middle) <= runs) { high = middle; }
            else { low = middle + 1; }
        }

        return low;
    }

    /// <summary>Runs that are needed when none may cost more.</summary>
    private static int Needed(IReadOnlyList<long> costs, long bound)
    {
        var (runs, sum) = (1, 0L);
        foreach (var cost in costs)
        {
            if (sum + cost > bound) { (runs, sum) = (runs + 1, 0); }
            sum += cost;
        }

        return runs;
    }
}
