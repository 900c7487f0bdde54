using Cluster.Contracts.Spec.Continual;

namespace Cluster.Contracts.Schedules;

/// <summary>
/// From the rate F of a fork down to m, as a function of the share r of the annealing that is done.
/// <code>
///   exponential    F·(m/F)^r            r = (n - N_d)/(N - N_d) = j/t_a: m is reached with the last update
///   others         m + (F-m)·s(r)       s = 1-r, (1+cos πr)/2, 1-√r, 2·½^r - 1
/// </code>
/// "Beyond Cosine Decay" prints the exponent as (n - N_d)/(t_a + N_d), with which m would be reached at n = t_a + 2·N_d. Its
/// figure 1 and its code have the one above, and so have we.
/// </summary>
public static class Annealing
{
    /// <param name="r">Below 0 and above 1 it is as at 0 and at 1.</param>
    /// <param name="from">F.</param>
    /// <param name="to">m; above 0 where the tail is exponential.</param>
    public static double Rate(double r, double from, double to, AnnealTail tail) => (tail, Math.Clamp(r, 0, 1)) switch
    {
        (_, 1) => to, // Exactly, whatever the rounding.
        (AnnealTail.Exponential, var x) => from * Math.Pow(to / from, x),
        (AnnealTail.Linear, var x) => to + ((from - to) * (1 - x)),
        (AnnealTail.Cosine, var x) => to + ((from - to) * (1 + Math.Cos(Math.PI * x)) / 2),
        (AnnealTail.OneMinusSqrt, var x) => to + ((from - to) * (1 - Math.Sqrt(x))),
        (AnnealTail.HalfLife, var x) => to + ((from - to) * ((2 * Math.Pow(0.5, x)) - 1)),
        _ => throw new ArgumentOutOfRangeException(nameof(tail), tail, "not a tail"),
    };
}
