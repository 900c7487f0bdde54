using Cluster.Trainer.Core.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Dense;

/// <summary>
/// Draws the mean activity of each unit to that of its layer, which wakes units that are never on (Hinton's code):
/// <code>
///   m ← 0.9·m + 0.1·mean_s y_s⁺          [u], over the round's positive samples
///   L = λ · 1/u Σ_j (m̄ - m_j)²            ∂L/∂m_j = λ·2/u·(m_j - m̄)
///   ∂L/∂W = 0.1·∂L/∂m ⊗ mean_s x̂_s⁺       ∂L/∂b = 0.1·∂L/∂m
/// </code>
/// The gradient goes through units that are off too: otherwise they could not be woken. It is a product of two means over the round,
/// so a leaf contributes Σ y⁺ and Σ x̂⁺, and any cut into leaves gives the gradient of the whole batch.
/// </summary>
internal static class PeerNormalisation
{
    private const double Momentum = 0.9;

    /// <param name="activity">m, [u]: moved on.</param>
    /// <param name="sumOfActivities">Σ y⁺ over the round, [u].</param>
    /// <param name="sumOfInputs">Σ x̂⁺ over the round, [d].</param>
    /// <param name="samples">Samples of the round.</param>
    /// <param name="strength">λ.</param>
    /// <param name="gradient">Of the layer, summed over the round: the term is added as often as there are samples.</param>
    public static void Add(Tensor activity, Tensor sumOfActivities, Tensor sumOfInputs, double samples, double strength, DenseLayer gradient)
    {
        activity.Scale(Momentum);
        activity.Add(sumOfActivities, (1 - Momentum) / samples);
        var byActivity = (activity - activity.mean()).Times(strength * 2 / activity.shape[0] * (1 - Momentum)); // [u]
        gradient.Weight.addr_(byActivity, sumOfInputs);
        gradient.Bias.Add(byActivity, samples);
    }
}
