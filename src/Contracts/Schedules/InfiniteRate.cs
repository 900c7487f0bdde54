using Cluster.Contracts.Spec.Continual;

namespace Cluster.Contracts.Schedules;

/// <summary>
/// The infinite schedule: "Beyond Cosine Decay: On the effectiveness of Infinite Learning Rate Schedule for Continual
/// Pre-training", CoLLAs 2025, arXiv:2503.02844, equation 1.
/// <code>
///   phase        n                  rate
///   warm-up      n ≤ N_w            M·n/N_w
///   cool-down    N_w &lt; n ≤ N_c      cosine    C + (M-C)/2·(1 + cos πx)
///                                   inverse   M + (C-M)·h(x)/h(1),  h(x) = 1/√(1+αx) - 1
///                                   linear    M + (C-M)·x
///   constant     N_c &lt; n            C
///   annealing    N_d &lt; n ≤ N        see <see cref="Annealing"/>; where the trunk itself has an end
///
///   M max   C constant   m min   N_w warmupEnd   N_c cooldownEnd   N_d annealStart   N end   x = (n-N_w)/(N_c-N_w)
/// </code>
/// </summary>
public static class InfiniteRate
{
    /// <param name="n">At least 0; boundaries need not be whole.</param>
    public static double At(double n, RateSpec.Infinite s)
    {
        var (warmupEnd, cooldownEnd) = (s.WarmupEnd * s.Of, s.CooldownEnd * s.Of);
        return s switch
        {
            _ when warmupEnd > 0 && n <= warmupEnd => s.Max * n / warmupEnd,
            _ when cooldownEnd > warmupEnd && n <= cooldownEnd => Cooldown((n - warmupEnd) / (cooldownEnd - warmupEnd), s),
            { AnnealStart: { } start, End: { } end } when n > start * s.Of =>
                Annealing.Rate((n - (start * s.Of)) / ((end - start) * s.Of), s.Constant, s.Min, AnnealTail.Exponential),
            _ => s.Constant,
        };
    }

    private static double Cooldown(double x, RateSpec.Infinite s) => s.Cooldown switch
    {
        CooldownKind.Cosine => s.Constant + ((s.Max - s.Constant) / 2 * (1 + Math.Cos(Math.PI * x))),
        CooldownKind.InverseSqrt => s.Max + ((s.Constant - s.Max) * H(x, s.Timescale) / H(1, s.Timescale)),
        CooldownKind.Linear => s.Max + ((s.Constant - s.Max) * x),
        _ => throw new ArgumentOutOfRangeException(nameof(s), s.Cooldown, "not a cool-down"),
    };

    private static double H(double x, double timescale) => (1 / Math.Sqrt(1 + (timescale * x))) - 1;
}
