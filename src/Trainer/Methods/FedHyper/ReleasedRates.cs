using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Federated;

namespace Cluster.Trainer.Methods.FedHyper;

/// <summary>The constants of the released code.</summary>
/// <param name="FirstBeta">β(0).</param>
/// <param name="Global">Bounds of α, where it moves (G).</param>
/// <param name="ServerLocal">Bounds of β, where the server moves it (SL).</param>
/// <param name="ClientLocal">Bounds of the multiplier of β, where each client moves it (CL).</param>
/// <param name="MaxFactor">By how much the multiplier grows at most in one step; how far it falls is not bounded.</param>
/// <param name="TermScale">Over the number of clients: the weight of the global term.</param>
internal sealed record ReleasedSettings(
    double FirstBeta, (double Low, double High)? Global, (double Low, double High)? ServerLocal, (double Low, double High)? ClientLocal, double MaxFactor = 1.1, double TermScale = 0.1)
{
    public static ReleasedSettings Of(SchedulerSpec.FedHyper spec, double localLr)
    {
        (double, double) multiplier = (0.1, 10);
        return new(
            localLr,
            spec.Variant is HyperVariant.Global or HyperVariant.GlobalAndClientLocal or HyperVariant.GlobalAndServerLocal ? spec.GlobalBounds : null,
            spec.Variant is HyperVariant.ServerLocal or HyperVariant.GlobalAndServerLocal ? spec.LocalBounds(localLr) : null,
            spec.Variant is HyperVariant.ClientLocal or HyperVariant.GlobalAndClientLocal ? multiplier : null);
    }
}

/// <summary>
/// The rules of the paper's released code (github.com/ATP-1010/FedHyper, commit d6a57c5), where they differ from the paper. U is the
/// mean weight change of a round, d(k) a client's weight change in step k; both point against the gradients.
/// <code>
///   G     α(t)   = clip(α(t-1) + ⟨U(t), U(t-1)⟩, 0.2, 5)
///   SL    β(t+1) = clip(β(0)·(1 + Σ_s≤t ⟨U(s), U(s-1)⟩), 0.001, 0.1)      carried over, as is evidently meant: the code drops it
///   CL    β(k)   = β(0)·c(k);  c(k+1) = clip(c(k)·min(1.1, 1 + x + y), 0.1, 10)
///                  x = 0.1·⟨d(k), U(t-1)⟩ / clients,  y = ⟨d(k), d(k-1)⟩
/// </code>
/// CL skips the first step of every local epoch, and in the first comparison of a round U(t-1) stands for d(k-1).
/// </summary>
internal sealed class ReleasedRates(ReleasedSettings settings) : IRateScheduler
{
    public RateState Next(in RateState rates, in RoundFacts facts)
    {
        if (facts.Product is not { } product) { return rates; }

        var sum = rates.ProductSum + product;
        return new(
            settings.Global is (var low, var high) ? Math.Clamp(rates.Alpha + product, low, high) : rates.Alpha,
            settings.ServerLocal is (var bottom, var top) ? Math.Clamp(settings.FirstBeta * (1 + sum), bottom, top) : rates.Beta,
            sum);
    }

    public IClientRates Client(double beta, in ClientRound round) =>
        settings.ClientLocal is { } bounds ? new ReleasedClientRates(settings, bounds, beta, round) : new SteadyRates(beta);
}

/// <summary>The CL rule for plain SGD, whose change is d(k) = -β(k)·g(k).</summary>
internal sealed class ReleasedClientRates(ReleasedSettings settings, (double Low, double High) bounds, double beta, ClientRound round) : IClientRates
{
    private double _multiplier = 1;
    private double _lastBeta;
    private bool _hasCompared;

    public bool NeedsProducts => true;

    public double At(long step, in StepProducts products)
    {
        var now = beta * _multiplier;
        if (step % round.StepsPerEpoch != 0)
        {
            // With D = -U, ⟨d(k), U⟩ = β(k)·⟨g(k), D⟩.
            var withGlobal = now * products.Global;
            var x = settings.TermScale * withGlobal / round.Clients;
            var y = _hasCompared ? now * _lastBeta * products.Previous : withGlobal;
            _multiplier = Math.Clamp(_multiplier * Math.Min(settings.MaxFactor, 1 + x + y), bounds.Low, bounds.High);
            _hasCompared = true;
        }

        _lastBeta = now;
        return now;
    }
}
