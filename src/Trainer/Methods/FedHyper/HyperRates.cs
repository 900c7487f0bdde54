using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Federated;

namespace Cluster.Trainer.Methods.FedHyper;

/// <summary>
/// A learning rate that follows its hypergradient. The derivative of the next loss by the rate is the negative inner product of two
/// successive updates (eq. 4), so the rate grows by that product (eq. 5), and stays inside its bounds (eq. 16 and 18).
/// </summary>
/// <param name="Step">What the product is multiplied by; 1 in the paper.</param>
internal readonly record struct HyperRule(double Step, double Low, double High)
{
    /// <summary>min(max(rate + step·product, low), high).</summary>
    public double Moved(double rate, double product) => Math.Min(Math.Max(Free(rate, product), Low), High);

    /// <summary>The same before the bounds act.</summary>
    public double Free(double rate, double product) => rate + (Step * product);
}

/// <summary>Which rates move, and by which rule. Null: that rate does not move there.</summary>
/// <param name="Global">α, on the server (G).</param>
/// <param name="ServerLocal">β of all clients, on the server (SL).</param>
/// <param name="ClientLocal">β of each client, in its own steps (CL).</param>
/// <param name="Term">K of eq. 20.</param>
internal sealed record HyperSettings(HyperRule? Global, HyperRule? ServerLocal, HyperRule? ClientLocal, GlobalTerm Term)
{
    public static HyperSettings Of(SchedulerSpec.FedHyper spec, double localLr)
    {
        var (low, high) = spec.LocalBounds(localLr);
        var global = new HyperRule(spec.GlobalHyperStep, spec.GlobalBounds.Low, spec.GlobalBounds.High);
        var local = new HyperRule(spec.LocalHyperStep, low, high);
        return spec.Variant switch
        {
            HyperVariant.Global => new(global, null, null, spec.GlobalTerm),
            HyperVariant.ServerLocal => new(null, local, null, spec.GlobalTerm),
            HyperVariant.ClientLocal => new(null, null, local, spec.GlobalTerm),
            HyperVariant.GlobalAndClientLocal => new(global, null, local, spec.GlobalTerm),
            HyperVariant.GlobalAndServerLocal => new(global, local, null, spec.GlobalTerm),
            _ => throw new ArgumentOutOfRangeException(nameof(spec), spec.Variant, "not a variant"),
        };
    }
}

/// <summary>
/// FedHyper's schedulers: Wang, Wang and Li, "FedHyper: A Universal and Robust Learning Rate Scheduler for Federated Learning with
/// Hypergradient Descent" (ICLR 2024, arXiv 2310.03156).
/// <code>
///   G     α(t)   = clip(α(t-1) + ⟨D(t), D(t-1)⟩)                          eq. 5, 16; in the same round, before the model moves
///   SL    β(t+1) = clip(β(t) + ⟨D(t), D(t-1)⟩)                            eq. 5, 18; one round later, for all clients
///   CL    β(k)   = clip(β(k-1) + ⟨g(k), g(k-1)⟩ + (1/K)·⟨g(k), D(t-1)⟩)   eq. 19, 20, 18; in step k itself
/// </code>
/// The first round has no D(-1) and moves nothing. CL begins every round with the same β and leaves step 0 alone.
/// </summary>
internal sealed class HyperRates(HyperSettings settings) : IRateScheduler
{
    public RateState Next(in RateState rates, in RoundFacts facts) => facts.Product is not { } product ? rates : rates with
    {
        Alpha = settings.Global?.Moved(rates.Alpha, product) ?? rates.Alpha,
        Beta = settings.ServerLocal?.Moved(rates.Beta, product) ?? rates.Beta,
    };

    public IClientRates Client(double beta, in ClientRound round) =>
        settings.ClientLocal is { } rule ? new ClientHyperRates(rule, beta, TermScale(round)) : new SteadyRates(beta);

    /// <summary>1/K of eq. 20.</summary>
    private double TermScale(in ClientRound round) => settings.Term switch
    {
        GlobalTerm.LocalSteps => 1.0 / round.Steps,
        GlobalTerm.Clients => 1.0 / round.Clients,
        GlobalTerm.None => 0,
        _ => throw new ArgumentOutOfRangeException(nameof(round), settings.Term, "not a global term"),
    };
}

/// <summary>FedHyper-CL for one client in one round.</summary>
/// <param name="beta">β(0).</param>
/// <param name="termScale">1/K of eq. 20; 0 leaves eq. 19.</param>
internal sealed class ClientHyperRates(HyperRule rule, double beta, double termScale) : IClientRates
{
    private double _beta = beta;

    public bool NeedsProducts => true;

    public double At(long step, in StepProducts products)
    {
        if (step > 0) { _beta = rule.Moved(_beta, products.Previous + (termScale * products.Global)); }
        return _beta;
    }
}
