using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Dense;

/// <summary>
/// The loss of every layer of a dense net. θ goes with the width where the spec gives none: a mean square of 1, so that wide and narrow
/// layers are asked for the same. Two cross entropies of one sample count half each: the mean over the joined batch.
/// </summary>
internal sealed class Contrasts(DenseNet net, ForwardForwardSpec.Dense spec)
{
    private readonly double _share = spec.Loss == ContrastLoss.ForwardForward ? 0.5 : 1;
    private readonly Contrast[] _layers = [.. net.Widths.Select(width => new Contrast(
        spec.Loss, spec.Threshold ?? (spec.Goodness == GoodnessKind.Sum ? width : 1), spec.Alpha))];

    /// <inheritdoc cref="Contrast.Of"/>
    public (Tensor Losses, Tensor ByPositive, Tensor ByNegative) Of(int layer, Tensor positive, Tensor negative)
    {
        var (losses, byPositive, byNegative) = _layers[layer].Of(positive, negative);
        return (losses.Times(_share), byPositive.Times(_share), byNegative.Times(_share));
    }

    /// <inheritdoc cref="Contrast.Right"/>
    public Tensor Right(int layer, Tensor positive, Tensor negative) => _layers[layer].Right(positive, negative);
}
