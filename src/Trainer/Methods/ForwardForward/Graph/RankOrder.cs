namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>The area under the ROC curve, exactly: of all pairs of a positive and a negative, how many are in the right order.</summary>
internal static class RankOrder
{
    /// <summary>Twice the pairs in which the positive has the higher score; a tie counts once. Of 2 · positives · negatives.</summary>
    public static long TwiceRight(ReadOnlySpan<double> positives, ReadOnlySpan<double> negatives)
    {
        var sorted = negatives.ToArray();
        Array.Sort(sorted);
        var total = 0L;
        foreach (var score in positives) { total += CountBelow(sorted, score) + CountBelow(sorted, Math.BitIncrement(score)); }
        return total;
    }

    /// <summary>Of a sorted list, how many are smaller.</summary>
    private static int CountBelow(double[] sorted, double limit)
    {
        var (low, high) = (0, sorted.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (sorted[middle] < limit) { low = middle + 1; }
            else { high = middle; }
        }

        return low;
    }
}
