using Cluster.Trainer.Core.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward;

/// <summary>
/// What a layer hands up: the direction of its activities, without their length. Were the length left in, the next layer could read
/// the goodness of this one from it and would learn nothing new. A row of zeros stays zeros.
/// </summary>
internal static class RowNorm
{
    private const double Epsilon = 1e-8;

    /// <summary>x / (|x| + ε), row by row: ForwardGNN's.</summary>
    /// <param name="x">[..., d].</param>
    public static Tensor L2(Tensor x)
    {
        using var squares = x.Squared();
        return x / squares.sum(-1, keepdim: true).sqrt().Plus(Epsilon);
    }

    /// <summary>x / (√(mean x²) + ε), row by row: Hinton's, √d times longer.</summary>
    /// <param name="x">[..., d].</param>
    public static Tensor Rms(Tensor x)
    {
        using var squares = x.Squared();
        return x / squares.mean([-1], keepdim: true).sqrt().Plus(Epsilon);
    }
}
