using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward;

/// <summary>
/// How good a layer finds its activities y (Hinton 2022, section 2):
/// <code>
///   g = Σ_j y_j²          ∂g/∂y_j = 2·y_j             or the mean over the d units: both divided by d
///   p(positive) = σ(g - θ)                            Eq. 1
/// </code>
/// </summary>
internal static class Goodness
{
    /// <param name="y">[..., d].</param>
    /// <returns>[...].</returns>
    public static Tensor Of(Tensor y, GoodnessKind kind = GoodnessKind.Sum)
    {
        using var squares = y.Squared();
        return kind == GoodnessKind.Sum ? squares.sum(-1) : squares.mean([-1]);
    }

    /// <summary>∂L/∂y from ∂L/∂g. Where y comes from a ReLU this is ∂L/∂z too: y is 0 where the unit is off.</summary>
    /// <param name="byGoodness">∂L/∂g, [...].</param>
    /// <param name="y">[..., d].</param>
    public static Tensor Back(Tensor byGoodness, Tensor y, GoodnessKind kind = GoodnessKind.Sum)
    {
        using var product = byGoodness.unsqueeze(-1) * y;
        return product.Times(kind == GoodnessKind.Sum ? 2.0 : 2.0 / y.shape[^1]);
    }
}
