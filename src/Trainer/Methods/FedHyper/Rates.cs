using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Federated;

namespace Cluster.Trainer.Methods.FedHyper;

/// <summary>The two learning rates between rounds.</summary>
/// <param name="Alpha">α of the last round that was applied; α(0) before the first.</param>
/// <param name="Beta">β with which the clients of the next round begin.</param>
/// <param name="ProductSum">Σ ⟨D(t), D(t-1)⟩ over the rounds so far: what the released code's SL goes by.</param>
internal readonly record struct RateState(double Alpha, double Beta, double ProductSum = 0);

/// <summary>What the server knows of a round when all changes are in.</summary>
/// <param name="Round">t: rounds applied before this one.</param>
/// <param name="Product">⟨D(t), D(t-1)⟩, or the cosine of the two where the spec asks for it; null in the first round.</param>
/// <param name="UpdateSquares">|D(t)|².</param>
/// <param name="ClientSquares">Σ_m p_m·|δ_m(t)|².</param>
internal readonly record struct RoundFacts(long Round, double? Product, double UpdateSquares, double ClientSquares);

/// <summary>How the two learning rates move; a pure rule.</summary>
internal interface IRateScheduler
{
    /// <summary>α(t), with which the server makes its step now, and β(t+1).</summary>
    RateState Next(in RateState rates, in RoundFacts facts);

    /// <summary>How β moves inside a round; a new one for every client and round.</summary>
    /// <param name="beta">β with which the round begins.</param>
    IClientRates Client(double beta, in ClientRound round);
}

/// <summary>A client's part of a round in numbers.</summary>
/// <param name="Steps">K: its local steps.</param>
/// <param name="StepsPerEpoch">Steps of one pass over its samples.</param>
/// <param name="Clients">Clients sampled in the round.</param>
internal readonly record struct ClientRound(long Steps, long StepsPerEpoch, int Clients);

/// <summary>The inner products of local step k.</summary>
/// <param name="Previous">⟨g(k), g(k-1)⟩; 0 in step 0.</param>
/// <param name="Global">⟨g(k), D(t-1)⟩; 0 in the first round.</param>
internal readonly record struct StepProducts(double Previous, double Global);

/// <summary>β of one client in the steps of one round.</summary>
internal interface IClientRates
{
    /// <summary>Whether <see cref="At"/> reads its products: they cost two passes over the gradient.</summary>
    bool NeedsProducts { get; }

    /// <summary>β of step <paramref name="step"/>; called once for each step, in order, when its gradient is known.</summary>
    double At(long step, in StepProducts products);
}

/// <summary>β stays as the round begins.</summary>
internal sealed class SteadyRates(double beta) : IClientRates
{
    public bool NeedsProducts => false;

    public double At(long step, in StepProducts products) => beta;
}

internal static class RateSchedulers
{
    public static IRateScheduler Create(FederatedSpec spec) => spec.Scheduler switch
    {
        SchedulerSpec.Constant => new ConstantRates(),
        SchedulerSpec.FedExp exp => new FedExpRates(exp.Epsilon),
        SchedulerSpec.Decay decay => new DecayRates(decay, spec.GlobalLr, spec.LocalLr),
        SchedulerSpec.FedHyper { Mode: HyperMode.Released } hyper => new ReleasedRates(ReleasedSettings.Of(hyper, spec.LocalLr)),
        SchedulerSpec.FedHyper hyper => new HyperRates(HyperSettings.Of(hyper, spec.LocalLr)),
        _ => throw new ArgumentException($"no scheduler for {spec.Scheduler.GetType().Name}", nameof(spec)),
    };
}
