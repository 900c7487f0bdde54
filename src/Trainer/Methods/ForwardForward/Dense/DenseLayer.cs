using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Dense;

/// <summary>
/// One fully connected layer of forward-forward learning: G. Hinton, "The Forward-Forward Algorithm: Some Preliminary
/// Investigations" (2022), arXiv:2212.13345, section 2.
/// <code>
///   x̂ [n, d]      the layer's input: a direction, and a constant to the layer
///   z = x̂ Wᵀ + b    y = relu(z)        [n, u]
///   g = Σ_j y_j²                       [n]
///   ∂L/∂z = ∂L/∂g · 2y                 relu's mask is in y
///   ∂L/∂W = Σ_n ∂L/∂z ⊗ x̂   ∂L/∂b = Σ_n ∂L/∂z
///   next input: y / √(mean y²)
/// </code>
/// One product forward and one for the gradient; none towards the layer below.
/// </summary>
/// <param name="Weight">W, [u, d].</param>
/// <param name="Bias">b, [u].</param>
internal readonly record struct DenseLayer(Tensor Weight, Tensor Bias)
{
    /// <summary>y, [n, u].</summary>
    /// <param name="x">x̂, [n, d].</param>
    public Tensor Forward(Tensor x) => Bias.addmm(x, Weight.t()).relu_();

    /// <summary>Adds the gradient of a loss to this layer, whose tensors hold a gradient.</summary>
    /// <param name="x">x̂, [n, d].</param>
    /// <param name="y">[n, u].</param>
    /// <param name="byGoodness">∂L/∂g, [n].</param>
    public void AddGradient(Tensor x, Tensor y, Tensor byGoodness, GoodnessKind kind)
    {
        var byZ = Goodness.Back(byGoodness, y, kind); // [n, u]
        Weight.addmm_(byZ.t(), x);
        Bias.Add(byZ.sum([0L]));
    }
}
