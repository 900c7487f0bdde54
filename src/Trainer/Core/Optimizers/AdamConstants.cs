namespace Cluster.Trainer.Core.Optimizers;

/// <summary>
/// The numbers of update t in Adam's direction r = m̂/(√v̂ + ε), with m̂ = m/(1-β1^t) and v̂ = v/(1-β2^t) (Kingma and Ba 2015,
/// Algorithm 1), arranged so that an element costs one root and one division:
/// <code>
///   r = c·m / (√(v + ε_in) + ε_out)     c = √(1-β2^t)/(1-β1^t)
///
///   ε outside the root   ε_in = 0              ε_out = ε·√(1-β2^t)
///   ε inside             ε_in = ε·(1-β2^t)     ε_out = 0
///   no correction        the same with 1 in place of 1-β1^t and 1-β2^t
/// </code>
/// </summary>
/// <remarks>
/// Powers are taken in float64: 1 - 0.999^t in float32 is wrong by about 1e-5. ε_out is never quite zero, so that an element
/// that never saw a gradient gives 0/tiny = 0 where ε = 0, not 0/0; beside any other root it vanishes in rounding.
/// </remarks>
/// <param name="Factor">c.</param>
internal readonly record struct AdamConstants(double Factor, double EpsilonInRoot, double EpsilonOutside)
{
    private const double Tiny = 1.17549435e-38; // The smallest normal float32.

    /// <param name="t">Number of the update, from 1.</param>
    public static AdamConstants At(long t, double beta1, double beta2, double epsilon, bool insideRoot = false, bool corrected = true)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(t, 1);
        var correction2 = corrected ? Correction(beta2, t) : 1;
        var factor = corrected ? RateFactor(t, beta1, beta2) : 1;
        return insideRoot
            ? new(factor, epsilon * correction2, Tiny)
            : new(factor, 0, Math.Max(Tiny, epsilon * Math.Sqrt(correction2)));
    }

    /// <summary>√(1-β2^t)/(1-β1^t).</summary>
    public static double RateFactor(long t, double beta1, double beta2) => Math.Sqrt(Correction(beta2, t)) / Correction(beta1, t);

    private static double Correction(double beta, long t) => 1 - Math.Pow(beta, t);
}
