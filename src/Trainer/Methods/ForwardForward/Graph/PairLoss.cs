using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>
/// The loss of a layer for links (ForwardGNN Eq. 9). A pair of nodes has the embedding h_i ⊙ h_j; n joined pairs stand beside n that are
/// not.
/// <code>
///   cross entropy     x = Σ h_i ⊙ h_j     p = σ(x)     ℓ = ½ [ softplus(-x⁺) + softplus(x⁻) ]       the mean over both kinds
///   contrastive       g = Σ (h_i ⊙ h_j)²               as for nodes: see <see cref="Contrast"/>
/// </code>
/// </summary>
internal sealed class PairLoss(Contrast? contrast)
{
    /// <summary>Cross entropy where there is no contrast.</summary>
    public static PairLoss Of(ForwardForwardSpec.Graph spec, GraphLoss loss) => new(loss == GraphLoss.CrossEntropy ? null : Contrasts.Of(spec, loss));

    /// <summary>Probability that pairs are joined, [n].</summary>
    /// <param name="from">h_i, [n, d].</param>
    /// <param name="to">h_j, [n, d].</param>
    public Tensor Probabilities(Tensor from, Tensor to) => contrast switch
    {
        null => (from * to).sum(1).sigmoid(),
        { Kind: ContrastLoss.ForwardForward } => Goodness.Of(from * to).Plus(-contrast.Threshold).sigmoid(),
        _ => Goodness.Of(from * to), // SymBa has no threshold: the goodness itself, which orders pairs alike.
    };

    /// <param name="positive">Embeddings of the joined pairs, [n, d] each.</param>
    /// <param name="negative">Of the others, [n, d] each.</param>
    /// <returns>ℓ [n]; the gradient of Σ ℓ to each embedding [n, d]; and how much of a pair of pairs is on the right side [n].</returns>
    public (Tensor Losses, PairGradient Positive, PairGradient Negative, Tensor Right, Tensor Goods, Tensor Bads) Learn(
        (Tensor From, Tensor To) positive, (Tensor From, Tensor To) negative)
    {
        var (e, f) = (positive.From * positive.To, negative.From * negative.To);
        if (contrast is null)
        {
            var (x, y) = (e.sum(1), f.sum(1));
            var right = x.Above(0).Plus(y.Below(0)).Over(2);
            return (
                Contrast.Softplus(x.neg()).Plus(Contrast.Softplus(y)).Over(2),
                PairGradient.Of(x.sigmoid().Plus(-1).Over(2).unsqueeze(1), positive),
                PairGradient.Of(y.sigmoid().Over(2).unsqueeze(1), negative), right, x, y);
        }

        var (g, b) = (Goodness.Of(e), Goodness.Of(f));
        var (losses, byPositive, byNegative) = contrast.Of(g, b.unsqueeze(0));
        return (
            losses, PairGradient.Of(Goodness.Back(byPositive, e), positive), PairGradient.Of(Goodness.Back(byNegative[0], f), negative),
            contrast.Right(g, b.unsqueeze(0)), g, b);
    }
}

/// <summary>∂L/∂h_i = ∂L/∂e ⊙ h_j and ∂L/∂h_j = ∂L/∂e ⊙ h_i, for e = h_i ⊙ h_j.</summary>
internal readonly record struct PairGradient(Tensor From, Tensor To)
{
    public static PairGradient Of(Tensor byProduct, (Tensor From, Tensor To) pair) => new(byProduct * pair.To, byProduct * pair.From);
}
