using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Native;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Cluster.Trainer.Methods.ForwardForward;

/// <summary>
/// The loss that sets the goodness g⁺ of a sample against those of its m negatives, and its derivatives:
/// <code>
///   forward-forward   ℓ = softplus(θ - g⁺) + 1/m Σ_i softplus(g⁻_i - θ)       ∂ℓ/∂g⁺ = -σ(θ - g⁺)      ∂ℓ/∂g⁻_i = σ(g⁻_i - θ)/m
///   SymBa             ℓ = 1/m Σ_i softplus(-α(g⁺ - g⁻_i))                     ∂ℓ/∂g⁻_i = α σ(-α(g⁺ - g⁻_i))/m      ∂ℓ/∂g⁺ = -Σ_i ∂ℓ/∂g⁻_i
/// </code>
/// Forward-forward: Hinton 2022, Eq. 1 as a cross entropy; with several negatives ForwardGNN Eq. 3. SymBa: Lee and Song 2023.
/// </summary>
/// <param name="Threshold">θ.</param>
/// <param name="Alpha">α.</param>
internal sealed record Contrast(ContrastLoss Kind, double Threshold, double Alpha)
{
    /// <param name="positive">g⁺, [n].</param>
    /// <param name="negative">g⁻, [m, n].</param>
    /// <returns>ℓ [n], ∂ℓ/∂g⁺ [n] and ∂ℓ/∂g⁻ [m, n].</returns>
    public (Tensor Losses, Tensor ByPositive, Tensor ByNegative) Of(Tensor positive, Tensor negative)
    {
        var m = negative.shape[0];
        if (Kind == ContrastLoss.Symba)
        {
            var x = (positive - negative).Times(-Alpha); // [m, n]
            var byNegative = x.sigmoid().Times(Alpha / m);
            return (Softplus(x).mean([0]), byNegative.sum([0L]).neg(), byNegative);
        }

        var (missing, excess) = (positive.neg().Plus(Threshold), negative.Plus(-Threshold)); // θ - g⁺, g⁻ - θ
        return (
            Softplus(missing).Plus(Softplus(excess).mean([0])),
            missing.sigmoid().neg(),
            excess.sigmoid().Over(m));
    }

    /// <summary>How much of a sample is on the right side, 0 to 1: its positive and its negatives count half each.</summary>
    /// <returns>[n].</returns>
    public Tensor Right(Tensor positive, Tensor negative) => Kind == ContrastLoss.Symba
        ? positive.gt(negative).to(positive.dtype).mean([0])
        : positive.Above(Threshold).Plus(negative.Below(Threshold).mean([0])).Over(2);

    /// <summary>log(1 + e^x), exact for any x.</summary>
    public static Tensor Softplus(Tensor x) => x.relu().Plus(x.abs().neg().exp().log1p());
}
