using Cluster.Contracts.Spec.Continual;

namespace Cluster.Contracts.Schedules;

/// <summary>
/// Warm-up and half cosine, once or several times.
/// <code>
///   t ≤ w          s + (M-s)·t/w
///   w &lt; t ≤ L      m + (M-m)·(1 + cos(π(t-w)/(L-w)))/2
///   after          m
///
///   M max   m min   s the rate where the warm-up begins   w its length   L length   t updates since the beginning
/// </code>
/// </summary>
public static class CosineRate
{
    public static double At(double n, RateSpec.Cosine s) =>
        At(n, new CosineSegment(Start: 0, s.End * s.Of, s.WarmupEnd * s.Of, From: 0, s.Max), s.Min);

    /// <param name="t">Since the segment began, at least 0.</param>
    /// <param name="min">m.</param>
    public static double At(double t, CosineSegment segment, double min)
    {
        var (_, length, warmup, from, max) = segment;
        return t switch
        {
            _ when warmup > 0 && t <= warmup => from + ((max - from) * t / warmup),
            _ when t < length => min + ((max - min) * (1 + Math.Cos(Math.PI * (t - warmup) / (length - warmup))) / 2),
            _ => min,
        };
    }

    /// <summary>One cosine after the other. After the last one the rate stays.</summary>
    /// <param name="n">Where one ends and the next begins, it is the one that ends: that is the last update of its stage.</param>
    public static double At(double n, RateSpec.RepeatedCosine s, IReadOnlyList<long> stages)
    {
        foreach (var segment in Segments(s, stages))
        {
            if (n <= segment.Start + segment.Length) { return At(n - segment.Start, segment, s.Min); }
        }

        return s.Min;
    }

    /// <param name="stages">Updates of each stage, which are the lengths where the schedule names none.</param>
    public static IEnumerable<CosineSegment> Segments(RateSpec.RepeatedCosine s, IReadOnlyList<long> stages)
    {
        var start = 0.0;
        var own = s.Segments.Select(segment => (Length: segment.Length * s.Of, Warmup: (segment.Warmup ?? s.Warmup) * s.Of, Max: segment.Max ?? s.Max));
        foreach (var (length, warmup, max) in s.Segments.Count > 0 ? own : stages.Select(updates => ((double)updates, s.Warmup * s.Of, s.Max)))
        {
            yield return new CosineSegment(start, length, Math.Min(warmup, length), start == 0 ? 0 : s.RewarmFrom, max);
            start += length;
        }
    }
}

/// <param name="Start">The number of the update before its first.</param>
/// <param name="Warmup">Length of the warm-up, at most the whole.</param>
/// <param name="From">The rate at its beginning.</param>
public readonly record struct CosineSegment(double Start, double Length, double Warmup, double From, double Max);
