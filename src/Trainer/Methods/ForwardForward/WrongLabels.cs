using Cluster.Trainer.Core;

namespace Cluster.Trainer.Methods.ForwardForward;

/// <summary>
/// A wrong label for each sample of a leaf. A function of the job's seed, the round and the sample's position in the stream, so the
/// cut into leaves does not matter.
/// </summary>
internal static class WrongLabels
{
    /// <summary>Every wrong class equally likely.</summary>
    public static long[] Random(long seed, long round, Leaf leaf, ReadOnlySpan<long> right, int classes)
    {
        var wrong = new long[leaf.Count];
        for (var i = 0; i < wrong.Length; i++) { wrong[i] = Random(Chance(seed, round, leaf.First + i), right[i], classes); }
        return wrong;
    }

    /// <summary>
    /// In proportion to the probabilities that the net gives the wrong classes (Hinton 2022, section 3.3): it learns most from the
    /// errors it would make.
    /// </summary>
    /// <param name="probabilities">[n, classes], row by row.</param>
    public static long[] Hard(long seed, long round, Leaf leaf, ReadOnlySpan<long> right, int classes, ReadOnlySpan<float> probabilities)
    {
        var wrong = new long[leaf.Count];
        for (var i = 0; i < wrong.Length; i++)
        {
            wrong[i] = Hard(Chance(seed, round, leaf.First + i), right[i], probabilities.Slice(i * classes, classes));
        }

        return wrong;
    }

    private static SeededRandom Chance(long seed, long round, long position) => new(Seeds.Derive(seed, SeedPurpose.WrongLabel, round, position));

    private static long Random(SeededRandom random, long right, int classes)
    {
        var other = random.NextInt(classes - 1);
        return other < right ? other : other + 1;
    }

    private static long Hard(SeededRandom random, long right, ReadOnlySpan<float> probabilities)
    {
        var total = 0.0;
        for (var k = 0; k < probabilities.Length; k++) { total += k == right ? 0 : probabilities[k]; }
        if (!(total > 0)) { return Random(random, right, probabilities.Length); } // Sure of the right one beyond float32: none is likelier.

        var rest = random.NextDouble() * total;
        var last = -1L;
        for (var k = 0; k < probabilities.Length; k++)
        {
            if (k == right || probabilities[k] == 0) { continue; }
            last = k;
            rest -= probabilities[k];
            if (rest < 0) { break; }
        }

        return last;
    }
}
