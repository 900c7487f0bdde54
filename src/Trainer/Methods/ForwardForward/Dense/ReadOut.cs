using Cluster.Trainer.Core.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Dense;

/// <summary>
/// Softmax regression on what the layers say of a neutral input (Hinton 2022, section 3.2). It reads and does not teach: no gradient
/// goes into the layers.
/// <code>
///   a [n, s]      the normalised activities of the layers read, side by side
///   p = softmax(a Rᵀ + r)     [n, K]      ∂L/∂logits = p - onehot(y)
/// </code>
/// </summary>
/// <param name="Weight">R, [K, s].</param>
/// <param name="Bias">r, [K].</param>
internal readonly record struct ReadOut(Tensor Weight, Tensor Bias)
{
    /// <summary>[n, K].</summary>
    public Tensor Logits(Tensor activities) => Bias.addmm(activities, Weight.t());

    /// <summary>Adds the gradient of the summed cross entropy to this read-out, whose tensors hold a gradient.</summary>
    /// <param name="probabilities">p, [n, K].</param>
    /// <param name="classes">[n], int64.</param>
    public void AddGradient(Tensor activities, Tensor probabilities, Tensor classes)
    {
        var byLogits = probabilities - nn.functional.one_hot(classes, probabilities.shape[1]).to(probabilities.dtype);
        Weight.addmm_(byLogits.t(), activities);
        Bias.Add(byLogits.sum([0L]));
    }
}
