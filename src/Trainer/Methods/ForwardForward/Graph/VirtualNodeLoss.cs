using Cluster.Trainer.Core.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>
/// The loss of single-forward learning (ForwardGNN Eq. 6): a node is asked for its class by its products with the virtual nodes.
/// <code>
///   h_i [n, d]    embeddings of training nodes       c_k [K, d]    those of the virtual nodes
///   p_ik = softmax_k( ⟨h_i, c_k⟩ / τ )               ℓ_i = -log p_i,y_i
///   ∂ℓ_i/∂⟨h_i, c_k⟩ = (p_ik - [k = y_i]) / τ        and from it to both h and c
/// </code>
/// </summary>
internal static class VirtualNodeLoss
{
    /// <summary>log p, [n, K].</summary>
    public static Tensor LogProbabilities(Tensor nodes, Tensor virtualNodes, double temperature) => nodes.mm(virtualNodes.t()).Over(temperature).log_softmax(1);

    /// <param name="labels">y, [n], int64.</param>
    /// <returns>ℓ [n], the gradients of Σ ℓ to h [n, d] and to c [K, d], and whether the likeliest class is right [n].</returns>
    public static (Tensor Losses, Tensor ByNodes, Tensor ByVirtual, Tensor Right) Of(Tensor nodes, Tensor virtualNodes, Tensor labels, double temperature)
    {
        var log = LogProbabilities(nodes, virtualNodes, temperature);
        var own = labels.unsqueeze(1);
        var byProducts = (log.exp() - nn.functional.one_hot(labels, log.shape[1])).Over(temperature);
        return (log.gather(1, own).neg().squeeze(1), byProducts.mm(virtualNodes), byProducts.t().mm(nodes), log.argmax(1).eq(labels));
    }
}
