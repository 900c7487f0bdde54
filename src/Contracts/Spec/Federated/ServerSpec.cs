namespace Cluster.Contracts.Spec.Federated;

/// <summary>What the server does with Δ = α·D, D being the mean of the clients' changes, by <c>kind</c>.</summary>
public abstract record ServerSpec
{
    private ServerSpec() { }

    /// <summary>w ← w - Δ (McMahan et al. 2017).</summary>
    public sealed record FedAvg : ServerSpec;

    /// <summary>u ← μ·u + D, w ← w - α·u (Hsu et al. 2019).</summary>
    public sealed record FedAvgM : ServerSpec
    {
        /// <summary>μ.</summary>
        [AtLeast(0), Below(1)]
        public double Momentum { get; init; } = 0.9;
    }

    /// <summary>m ← β1·m + (1-β1)·Δ, v ← β2·v + (1-β2)·Δ², w ← w - η·m/(√v + τ), without bias correction (Reddi et al. 2021).</summary>
    public sealed record FedAdam : ServerSpec
    {
        /// <summary>η.</summary>
        [Above(0), AtMost(1_000_000)]
        public double Lr { get; init; } = 0.1;

        [AtLeast(0), Below(1)]
        public double Beta1 { get; init; } = 0.9;

        [AtLeast(0), Below(1)]
        public double Beta2 { get; init; } = 0.99;

        /// <summary>τ.</summary>
        [Above(0), AtMost(1_000)]
        public double Tau { get; init; } = 1e-3;
    }

    /// <summary>v ← v + Δ², w ← w - η·Δ/(√v + τ) (Reddi et al. 2021).</summary>
    public sealed record FedAdagrad : ServerSpec
    {
        /// <summary>η.</summary>
        [Above(0), AtMost(1_000_000)]
        public double Lr { get; init; } = 0.1;

        /// <summary>τ.</summary>
        [Above(0), AtMost(1_000)]
        public double Tau { get; init; } = 1e-3;
    }
}
