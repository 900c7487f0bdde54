using Cluster.Trainer.Core.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Physical;

/// <summary>
/// The linear map behind a black box φ and its goodness: Momeni et al., "Backpropagation-free training of deep physical neural networks"
/// (Science 382, 2023), arXiv:2304.11042.
/// <code>
///   x = [φ(h) | h], or φ(h)       z = x Wᵀ + b         [n, u]
///   G = cos(|z|, p)               p: a fixed random direction of the layer
///   ∂G/∂z = ( p / (‖z‖ ‖p‖) - G |z| / ‖z‖² ) · sign z
/// </code>
/// The cosine does not see how long z is, so nothing is normalised between layers; z itself, signs and all, is what the next box gets. x is
/// measured and a constant: no gradient goes into φ.
/// </summary>
/// <param name="Weight">W, [u, d].</param>
/// <param name="Bias">b, [u].</param>
internal readonly record struct PhysicalLayer(Tensor Weight, Tensor Bias)
{
    /// <summary>z, [n, u].</summary>
    public Tensor Forward(Tensor x) => Bias.addmm(x, Weight.t());

    /// <summary>G, [n]. Of z = 0 it is 0.</summary>
    /// <param name="direction">p, [u].</param>
    public static Tensor Goodness(Tensor z, Tensor direction) => z.abs().mv(direction) / (Norm(z) * direction.norm());

    /// <summary>Adds the gradient of a loss to this layer, whose tensors hold a gradient.</summary>
    /// <param name="byGoodness">∂L/∂G, [n].</param>
    public void AddGradient(Tensor x, Tensor z, Tensor direction, Tensor byGoodness)
    {
        var length = Norm(z);
        var toDirection = (direction / direction.norm()).unsqueeze(0) / length.unsqueeze(1);
        var toItself = (Goodness(z, direction) / length.Squared()).unsqueeze(1) * z.abs();
        var byZ = byGoodness.unsqueeze(1) * (toDirection - toItself) * z.sign(); // [n, u]
        Weight.addmm_(byZ.t(), x);
        Bias.Add(byZ.sum([0L]));
    }

    private static Tensor Norm(Tensor z) => z.Squared().sum(1).sqrt().AtLeast(1e-12);
}
