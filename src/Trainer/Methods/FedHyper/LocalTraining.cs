using Cluster.Trainer.Core.Optimizers;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.FedHyper;

/// <summary>How a client's steps went.</summary>
/// <param name="Steps">Steps made: K, or fewer where a loss was not finite.</param>
/// <param name="BetaMin">The smallest β used.</param>
/// <param name="BetaMean">The mean of the β used.</param>
/// <param name="BetaMax">The largest β used.</param>
internal readonly record struct LocalRun(long Steps, double BetaMin, double BetaMean, double BetaMax);

/// <summary>
/// A client's part of a round: K steps from the global model, on its own data.
/// <code>
///   here      shape  meaning
///   w         [P]    w_m(t,k): the global model before step 0, the client's after step K-1
///   global    [P]    w(t)
///   last      [P]    D(t-1): the mean change of the round before
///   g         [P]    g(k): gradient of the client's loss over batch k at w, and μ·(w - w(t)) with FedProx
///
///   for k = 0 .. K-1:   g(k) at w_m(t,k)
///                       β(k) by the scheduler, from ⟨g(k), g(k-1)⟩ and ⟨g(k), D(t-1)⟩
///                       w_m(t,k+1) = w_m(t,k) - β(k)·g(k), or what the client's optimiser makes of it
/// </code>
/// </summary>
/// <param name="proximal">μ.</param>
/// <param name="byCosine">Products are divided by the vectors' norms.</param>
internal sealed class LocalTraining(LocalOptimizer optimizer, double proximal, bool byCosine, int threads)
{
    /// <param name="last">Null before the first round is applied.</param>
    /// <param name="gradient">
    /// Gives g(k) at w, in a vector that stays as it is until the step after the next one asks for its own; null ends the run, because the
    /// loss is not finite.
    /// </param>
    public LocalRun Run(Tensor w, Tensor global, Tensor? last, long steps, IClientRates rates, Func<long, Tensor?> gradient)
    {
        var (min, sum, max) = (double.PositiveInfinity, 0.0, double.NegativeInfinity);
        Tensor? previous = null;
        optimizer.Reset();
        for (var k = 0L; k < steps; k++)
        {
            if (gradient(k) is not { } g) { return new LocalRun(k, min, sum / k, max); }

            using var scope = NewDisposeScope();
            using var _ = no_grad();
            if (proximal != 0) { g.add_(w, alpha: proximal).add_(global, alpha: -proximal); }
            var products = rates.NeedsProducts ? new StepProducts(Product(g, previous), Product(g, last)) : default;
            var beta = rates.At(k, products);
            optimizer.Step(w, g, beta, k);

            (min, sum, max) = (Math.Min(min, beta), sum + beta, Math.Max(max, beta));
            previous = g;
        }

        return new LocalRun(steps, min, sum / steps, max);
    }

    private double Product(Tensor g, Tensor? other)
    {
        if (other is null) { return 0; }
        var product = InnerProduct.Of(g, other, threads);
        if (!byCosine || product == 0) { return product; }
        return product / Math.Sqrt(InnerProduct.Of(g, g, threads) * InnerProduct.Of(other, other, threads));
    }
}
