namespace Cluster.Contracts.Lineage;

/// <summary>
/// What a sequence of tasks did to what was learnt before, from the matrix R[i][j]: the score on task j after training on task i.
/// <code>
///   T tasks, counted from 0;  b_j  the score on j of an untrained model
///
///   AverageFinal      mean_j R[T-1][j]                     DiagonalAverage   mean_i R[i][i]
///   Backward          mean_{i&lt;T-1} (R[T-1][i] - R[i][i])    OverallBackward   mean_{i&gt;j} (R[i][j] - R[j][j])
///   Forward           mean_{i≥1} (R[i-1][i] - b_i)         OverallForward    mean_{i&lt;j} R[i][j]
///   FromBest          mean_{i&lt;T-1} |R[T-1][i] - best_l R[l][i]|
///   OverallAverage    mean_{i≥j} R[i][j]                   OldAverage        mean_{i&gt;j} R[i][j]
///   Remembering       100 - |min(OverallBackward, 0)|, for scores in percent
/// </code>
/// Of losses, Backward is the forgetting: positive is bad. Averages as in "Beyond Cosine Decay", section 4, and the overall ones as
/// in Díaz-Rodríguez et al. 2018, arXiv:1810.13166. NaN where the matrix lacks what a number needs, or has one task alone.
/// </summary>
public sealed record TransferScores(
    double AverageFinal,
    double Backward,
    double Forward,
    double FromBest,
    double DiagonalAverage,
    double OverallAverage,
    double OverallBackward,
    double OverallForward,
    double OldAverage,
    double Remembering)
{
    /// <param name="r">R, a row for each task; NaN for what was not measured.</param>
    /// <param name="untrained">b; null where it was not measured.</param>
    /// <param name="lowerIsBetter">For losses.</param>
    public static TransferScores Of(IReadOnlyList<IReadOnlyList<double>> r, IReadOnlyList<double>? untrained, bool lowerIsBetter)
    {
        var tasks = r.Count;
        var last = r[^1];
        double Best(int task) => lowerIsBetter ? r.Min(row => row[task]) : r.Max(row => row[task]);

        var overallBackward = Over(tasks, (i, j) => i > j, (i, j) => r[i][j] - r[j][j]);
        return new(
            Mean(Enumerable.Range(0, tasks).Select(j => last[j])),
            Mean(Enumerable.Range(0, tasks - 1).Select(i => last[i] - r[i][i])),
            untrained is null ? double.NaN : Mean(Enumerable.Range(1, tasks - 1).Select(i => r[i - 1][i] - untrained[i])),
            Mean(Enumerable.Range(0, tasks - 1).Select(i => Math.Abs(last[i] - Best(i)))),
            Mean(Enumerable.Range(0, tasks).Select(i => r[i][i])),
            Over(tasks, (i, j) => i >= j, (i, j) => r[i][j]),
            overallBackward,
            Over(tasks, (i, j) => i < j, (i, j) => r[i][j]),
            Over(tasks, (i, j) => i > j, (i, j) => r[i][j]),
            100 - Math.Abs(Math.Min(overallBackward, 0)));
    }

    private static double Over(int tasks, Func<int, int, bool> isIn, Func<int, int, double> value) =>
        Mean(from i in Enumerable.Range(0, tasks) from j in Enumerable.Range(0, tasks) where isIn(i, j) select value(i, j));

    private static double Mean(IEnumerable<double> values) => values.Aggregate((Sum: 0.0, Count: 0), (a, x) => (a.Sum + x, a.Count + 1), a => a.Sum / a.Count);
}
