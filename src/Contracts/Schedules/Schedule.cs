using Cluster.Contracts.Spec;

namespace Cluster.Contracts.Schedules;

/// <summary>
/// The learning rate of an update as a pure function of its number.
/// <code>
///   n    number of the update within its stage, from 0
///   W    warm-up, in updates           T   updates in the stage           η   the peak rate
///
///   Continuous    η·(n+1)/W  for n &lt; W     then η·d((n-W)/(T-W))
///   FromZero      η·n/W      for n ≤ W     then η·d((n-W)/(T-W))
///   Independent   η·n/W      for n &lt; W     then η·d(n/T)
///
///   d(p) = f + (1-f)·s(p), f the final share; s(p) = 1, 1-p, (1-p)^power or (1+cos πp)/2
/// </code>
/// </summary>
public static class Schedule
{
    /// <param name="round">Number within the job, of the stage or beyond it.</param>
    public static double Rate(StagePlan stage, long round) => Rate(round - stage.FirstRound, stage.WarmupRounds, stage.Rounds, stage.PeakLr, stage.Schedule);

    /// <param name="n">From 0; beyond the stage the rate stays at its end.</param>
    /// <param name="warmup">W, at least 0.</param>
    /// <param name="total">T, at least 1.</param>
    /// <param name="peak">η.</param>
    public static double Rate(long n, long warmup, long total, double peak, ScheduleSpec spec)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(n);
        ArgumentOutOfRangeException.ThrowIfNegative(warmup);
        ArgumentOutOfRangeException.ThrowIfLessThan(total, 1);
        return spec.Warmup switch
        {
            WarmupConvention.Continuous when n < warmup => peak * (n + 1) / warmup,
            WarmupConvention.FromZero or WarmupConvention.Independent when n < warmup => peak * n / warmup,
            WarmupConvention.Independent => peak * Decay(n, total, spec),
            _ => peak * Decay(n - warmup, total - warmup, spec),
        };
    }

    /// <summary>d(p) at p = done/length; 1 where nothing is left to decay over.</summary>
    private static double Decay(long done, long length, ScheduleSpec spec)
    {
        var p = length > 0 ? Math.Min(1, (double)done / length) : 0;
        return spec.Decay switch
        {
            DecayKind.Constant => 1,
            DecayKind.Linear => Between(1 - p, spec),
            DecayKind.Polynomial => Between(Math.Pow(1 - p, spec.Power), spec),
            DecayKind.Cosine => Between((1 + Math.Cos(Math.PI * p)) / 2, spec),
            _ => throw new ArgumentOutOfRangeException(nameof(spec), spec.Decay, "not a decay"),
        };
    }

    private static double Between(double s, ScheduleSpec spec) => spec.FinalShare + (1 - spec.FinalShare) * s;
}
