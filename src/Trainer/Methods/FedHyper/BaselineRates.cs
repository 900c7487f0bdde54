using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Federated;

namespace Cluster.Trainer.Methods.FedHyper;

/// <summary>Both rates stay: FedAvg and the adaptive servers.</summary>
internal sealed class ConstantRates : IRateScheduler
{
    public RateState Next(in RateState rates, in RoundFacts facts) => rates;

    public IClientRates Client(double beta, in ClientRound round) => new SteadyRates(beta);
}

/// <summary>
/// FedExP: "FedExP: Speeding up Federated Averaging via Extrapolation", Jhunjhunwala, Wang and Joshi 2023, arXiv 2301.09604:
/// α(t) = max(1, Σ_m |δ_m|² / (2M·(|D|² + ε))), with 1/M as the clients' weights where they are not equal.
/// </summary>
internal sealed class FedExpRates(double epsilon) : IRateScheduler
{
    public RateState Next(in RateState rates, in RoundFacts facts) =>
        rates with { Alpha = Math.Max(1, facts.ClientSquares / (2 * (facts.UpdateSquares + epsilon))) };

    public IClientRates Client(double beta, in ClientRound round) => new SteadyRates(beta);
}

/// <summary>Step decay: rate(t) = rate(0)·factor^⌊t/every⌋.</summary>
internal sealed class DecayRates(SchedulerSpec.Decay spec, double alpha, double beta) : IRateScheduler
{
    public RateState Next(in RateState rates, in RoundFacts facts) => rates with
    {
        Alpha = spec.Rate is DecayedRate.Global or DecayedRate.Both ? alpha * Share(facts.Round) : rates.Alpha,
        Beta = spec.Rate is DecayedRate.Local or DecayedRate.Both ? beta * Share(facts.Round + 1) : rates.Beta,
    };

    public IClientRates Client(double beta, in ClientRound round) => new SteadyRates(beta);

    private double Share(long round) => Math.Pow(spec.Factor, round / spec.EveryRounds);
}
