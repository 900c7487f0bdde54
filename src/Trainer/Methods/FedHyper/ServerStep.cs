using Cluster.Trainer.Core.Optimizers;
using TorchSharp;
using static Cluster.Trainer.Core.Native.TensorNumbers;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.FedHyper;

/// <summary>What a step of the server did.</summary>
/// <param name="Alpha">α(t).</param>
/// <param name="Product">⟨D(t), D(t-1)⟩; null in the first round.</param>
/// <param name="Cosine">Of the angle between D(t) and D(t-1); null in the first round, and where one of them is 0.</param>
/// <param name="UpdateNorm">|D(t)|.</param>
internal readonly record struct ServerRecord(double Alpha, double? Product, double? Cosine, double UpdateNorm);

/// <summary>
/// The server's part of a round.
/// <code>
///   here      shape  meaning
///   w         [P]    the global model: w(t) before, w(t+1) after
///   sum       [P]    Σ_m p_m·δ_m(t) before the division by the weight; then D(t)
///   last      [P]    D(t-1) before, D(t) after
///
///   1   D(t)    = Σ_m p_m·δ_m(t) / Σ_m p_m
///   2   product = ⟨D(t), D(t-1)⟩
///   3   α(t), β(t+1) by the scheduler, from the product: α acts now, β in the next round
///   4   w(t+1)  = w(t) - α(t)·D(t), or what the server's optimiser makes of it
/// </code>
/// A sum of no weight, or one that is not finite, changes nothing, D(t-1) included: the round is as if it had not been.
/// </summary>
internal sealed class ServerStep(IRateScheduler scheduler, ServerOptimizer optimizer, bool byCosine, int threads)
{
    /// <param name="weight">Σ_m p_m.</param>
    /// <param name="clientSquares">Σ_m p_m·|δ_m|², not yet divided.</param>
    /// <param name="round">t: rounds applied before.</param>
    /// <returns>Null where the round changes nothing.</returns>
    public ServerRecord? Step(Tensor w, Tensor last, Tensor sum, double weight, double clientSquares, long round, ref RateState rates)
    {
        if (weight == 0) { return null; }

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var d = sum.div_(Number(weight));
        var squares = InnerProduct.Of(d, d, threads);
        if (!double.IsFinite(squares)) { return null; }

        double? product = round > 0 ? InnerProduct.Of(d, last, threads) : null;
        var cosine = product / Math.Sqrt(squares * InnerProduct.Of(last, last, threads));
        if (cosine is { } value && !double.IsFinite(value)) { cosine = null; }

        rates = scheduler.Next(rates, new RoundFacts(round, byCosine ? cosine : product, squares, clientSquares / weight));
        last.copy_(d);
        optimizer.Step(w, d, rates.Alpha);
        return new ServerRecord(rates.Alpha, product, cosine, Math.Sqrt(squares));
    }
}
