namespace Cluster.Contracts.Spec.Federated;

/// <summary>How a client turns a gradient into a step, by <c>kind</c>; β is its learning rate.</summary>
public abstract record LocalOptimizerSpec
{
    private LocalOptimizerSpec() { }

    /// <summary>Stochastic gradient descent, as the paper analyses it; plain unless a momentum is given.</summary>
    public sealed record Sgd : LocalOptimizerSpec
    {
        [AtLeast(0), Below(1)]
        public double Momentum { get; init; }

        /// <summary>λ: λ·w is added to the gradient.</summary>
        [AtLeast(0), AtMost(1_000)]
        public double WeightDecay { get; init; }
    }

    /// <summary>Adam (Kingma and Ba 2015), the default of the paper's released code.</summary>
    public sealed record Adam : LocalOptimizerSpec
    {
        [AtLeast(0), Below(1)]
        public double Beta1 { get; init; } = 0.9;

        [AtLeast(0), Below(1)]
        public double Beta2 { get; init; } = 0.999;

        [Above(0), AtMost(1)]
        public double Epsilon { get; init; } = 1e-8;
    }
}
