using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Optimizers;

namespace Cluster.Trainer.Methods.Lamb;

/// <summary>The numbers of one update that all layers share, in float64; the spec's switches end here.</summary>
internal readonly record struct LambConstants(AdamConstants Adam, double Beta1, double Beta2, double Scale, double LearningRate, WeightDecayMode DecayMode)
{
    public const double DefaultEpsilon = 1e-6;
    public const double DefaultDecay = 0.01;

    public static LambConstants At(OptimizerSpec spec, double scale, double learningRate, long t)
    {
        var inside = spec.BiasCorrection == BiasCorrection.Inside;
        var onRate = spec.BiasCorrection == BiasCorrection.OnLearningRate;
        return new LambConstants(
            AdamConstants.At(t, spec.Beta1, spec.Beta2, spec.Epsilon ?? DefaultEpsilon, spec.EpsilonInsideRoot, corrected: inside),
            spec.Beta1,
            spec.Beta2,
            scale,
            onRate ? learningRate * AdamConstants.RateFactor(t, spec.Beta1, spec.Beta2) : learningRate,
            spec.WeightDecayMode);
    }

    /// <summary>λ where it acts inside u: the paper's place.</summary>
    public double DecayInUpdate(double decay) => DecayMode == WeightDecayMode.InUpdate ? decay : 0;

    /// <summary>λ where it acts as the gradient of (λ/2)·‖x‖².</summary>
    public double DecayInGradient(double decay) => DecayMode == WeightDecayMode.L2InGradient ? decay : 0;

    /// <summary>What x is multiplied by beside the update: 1 - η·λ where the decay is decoupled. It acts before the norm is taken, as in timm.</summary>
    public double Shrink(double decay) => DecayMode == WeightDecayMode.Decoupled ? 1 - LearningRate * decay : 1;
}
