using Cluster.Trainer.Methods;

namespace Cluster.Trainer.Rounds;

/// <summary>Which layers each rank owns: consecutive runs, from the bottom up, so that the slowest rank is as fast as it can be.</summary>
internal static class LayerSplit
{
    /// <summary>Times are noisy, and a new split is not free: what is to be won must be more than that.</summary>
    private const double LeastGain = 0.9;

    /// <summary>
    /// The split whose dearest run is cheapest. With more ranks than layers the lowest ranks have none; they make the samples ready.
    /// </summary>
    /// <param name="costs">Of the layers, from the bottom up; at least one.</param>
    public static IReadOnlyList<LayerRange> Of(IReadOnlyList<long> costs, int ranks)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(ranks);
        return Of(costs, [.. Enumerable.Repeat(1.0, ranks)]);
    }

    /// <summary>
    /// Another split where it promises to make the slowest rank faster by a tenth at least, else the same. How fast a rank is for its cost
    /// is measured: its machine and what arithmetic does not know of its layers.
    /// </summary>
    /// <param name="costs">As in <see cref="Of(IReadOnlyList{long}, int)"/>.</param>
    /// <param name="runs">The split that was measured.</param>
    /// <param name="times">What each rank's run took, waiting not counted, in any unit.</param>
    public static IReadOnlyList<LayerRange> Rebalanced(IReadOnlyList<long> costs, IReadOnlyList<LayerRange> runs, IReadOnlyList<long> times)
    {
        double[] paces = [.. runs.Zip(times, (run, time) => run.Count == 0 ? 0 : Math.Max(1.0, time) / Cost(costs, run))]; // Those without layers stay so.
        var better = Of(costs, paces);
        return Slowest(better) <= LeastGain * Slowest(runs) ? better : runs;

        double Slowest(IReadOnlyList<LayerRange> of) => of.Zip(paces, (run, pace) => Cost(costs, run) * pace).Max();
    }

    /// <summary>
    /// <code>
    ///   slowest(r, n) = min over f of max( slowest(r - 1, f), pace_r · Σ cost_f..n-1 )      the first n layers on the ranks up to r
    /// </code>
    /// </summary>
    private static LayerRange[] Of(IReadOnlyList<long> costs, double[] paces)
    {
        ArgumentOutOfRangeException.ThrowIfZero(costs.Count);
        var idle = Math.Max(0, paces.Length - costs.Count);
        var firsts = new int[paces.Length, costs.Count + 1];
        double[] below = [0, .. Enumerable.Repeat(double.PositiveInfinity, costs.Count)]; // By layers dealt out.
        for (var rank = idle; rank < paces.Length; rank++)
        {
            double[] slowest = [.. Enumerable.Repeat(double.PositiveInfinity, costs.Count + 1)];
            for (var end = 1; end <= costs.Count; end++)
            {
                var sum = 0L;
                for (var first = end - 1; first >= 0; first--)
                {
                    sum += costs[first];
                    var time = Math.Max(below[first], paces[rank] * sum);
                    if (time < slowest[end]) { (slowest[end], firsts[rank, end]) = (time, first); }
                }
            }

            below = slowest;
        }

        var runs = new LayerRange[paces.Length];
        for (var (rank, end) = (paces.Length - 1, costs.Count); rank >= idle; rank--)
        {
            runs[rank] = new LayerRange(firsts[rank, end], end - firsts[rank, end]);
            end = runs[rank].First;
        }

        return runs;
    }

    private static long Cost(IReadOnlyList<long> costs, LayerRange run) => costs.Skip(run.First).Take(run.Count).Sum();
}
