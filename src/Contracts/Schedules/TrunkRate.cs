using Cluster.Contracts.Spec.Continual;

namespace Cluster.Contracts.Schedules;

/// <summary>
/// The rate of the trunk's update n, the first being 1: a pure function of spec and n, so nothing of it is stored, and a resumed
/// run cannot be wrong about it. Counting from 1, no update is lost to a rate of 0, update N_w has the full rate, and the last
/// update of an annealing has m.
/// </summary>
public static class TrunkRate
{
    /// <param name="n">From 1; 0 is the beginning of the warm-up, which no update has.</param>
    /// <param name="stages">Updates of each stage: repeated cosine alone looks at them, and only at those up to n.</param>
    public static double At(double n, RateSpec spec, IReadOnlyList<long> stages) => spec switch
    {
        RateSpec.Infinite s => InfiniteRate.At(n, s),
        RateSpec.ConstantRate s => s.Rate,
        RateSpec.Cosine s => CosineRate.At(n, s),
        RateSpec.RepeatedCosine s => CosineRate.At(n, s, stages),
        RateSpec.WarmupStableDecay s => StableRate(n, s),
        _ => throw new ArgumentOutOfRangeException(nameof(spec), spec, "not a schedule"),
    };

    /// <summary>M·n/N_w for n ≤ N_w, M until the decay begins, then as in <see cref="Annealing"/>.</summary>
    private static double StableRate(double n, RateSpec.WarmupStableDecay s) => s switch
    {
        _ when s.WarmupEnd > 0 && n <= s.WarmupEnd * s.Of => s.Max * n / (s.WarmupEnd * s.Of),
        { DecayStart: { } start, End: { } end } when n > start * s.Of =>
            Annealing.Rate((n - (start * s.Of)) / ((end - start) * s.Of), s.Max, s.Min, s.Tail),
        _ => s.Max,
    };
}
