namespace Cluster.Trainer.Methods.Continual;

/// <summary>
/// The test for a rise in the mean of a series: Page, "Continuous inspection schemes", Biometrika 41 (1954); Hinkley, "Inference about the
/// change-point from cumulative sum tests", Biometrika 58 (1971); with a running mean as in Gama et al., "A survey on concept drift
/// adaptation", ACM Computing Surveys 46 (2014).
/// <code>
///   x̄_T = 1/T Σ_{t ≤ T} x_t        m_T = Σ_{t ≤ T} (x_t - x̄_t - δ)        PH_T = m_T - min_{t ≤ T} m_t
/// </code>
/// There is a change where PH_T is above a threshold λ. A falling series gives 0.
/// </summary>
/// <param name="Count">T.</param>
/// <param name="Mean">x̄_T.</param>
/// <param name="Sum">m_T.</param>
/// <param name="Lowest">min m_t.</param>
internal readonly record struct PageHinkley(long Count, double Mean, double Sum, double Lowest)
{
    /// <summary>PH_T, 0 of an empty series.</summary>
    public double Statistic => Sum - Lowest;

    /// <param name="x">Finite.</param>
    public PageHinkley After(double x, double delta)
    {
        var mean = Mean + ((x - Mean) / (Count + 1));
        var sum = Sum + (x - mean - delta);
        return new(Count + 1, mean, sum, Count == 0 ? sum : Math.Min(Lowest, sum));
    }
}
