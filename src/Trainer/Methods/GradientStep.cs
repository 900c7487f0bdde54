using System.Collections.Immutable;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Models;
using Cluster.Trainer.Core.Optimizers;
using Cluster.Trainer.Core.State;
using TorchSharp;
using static Cluster.Trainer.Core.Native.TensorNumbers;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods;

/// <summary>
/// A step along the mean gradient of a round, which the methods that follow a gradient share.
/// <code>
///   leaf       Σ_{s in leaf} ∇ℓ(x, s)                      clipped here, where the spec clips leaves
///   g          = 1/W · Σ_leaf                              W = Σ_leaf weight, known only after the sum
///   x          ← step(x, clip(g), η, t)                    LAMB, LARS, AdamW or SGD
/// </code>
/// </summary>
/// <param name="counters">Those of the method's state; <see cref="Updates"/> is kept among them.</param>
internal sealed class GradientStep(JobSpec spec, FlatModel model, IOptimizer optimizer, IDictionary<string, long> counters)
{
    /// <summary>Name of the counter t: updates since the moments were last at zero.</summary>
    public const string Updates = "updates";

    /// <summary>Weight of a round's batch statistics in the running ones (PyTorch's momentum of batch normalisation).</summary>
    private const double StatisticMomentum = 0.1;

    /// <summary>The sum of the samples' gradients, over <paramref name="into"/>.</summary>
    /// <param name="seed">Of whatever chance the network has.</param>
    /// <param name="finished">As of <see cref="IRoundMethod.Contribute(long, Leaf, FlatBuffer, Action{long})"/>.</param>
    public Tally Contribute(Batch batch, ulong seed, FlatBuffer into, Action<long>? finished)
    {
        var isScaled = spec.Clip is { Point: ClipPoint.Leaf }; // By what only the whole gradient tells.
        var tally = model.TrainLeaf(batch, seed, into, isScaled ? null : finished);
        if (spec.Clip is { Point: ClipPoint.Leaf } clip)
        {
            ScaleGradient(into, FlatNorm.ClipFactor(GradientNorm(into, 1 / tally.Weight), clip.Norm));
        }

        return tally;
    }

    /// <summary>One update. A sum that is not finite leaves everything as it is.</summary>
    /// <param name="round">Rounds committed with this one.</param>
    /// <param name="resetMoments">Moments and t begin at zero again.</param>
    public RoundResult Update(long round, FlatBuffer sum, in Tally tally, double eta, bool resetMoments)
    {
        if (tally.Weight == 0) { return new RoundResult(eta, double.NaN, "no sample of the round has anything to predict"); }
        var scale = 1 / tally.Weight;
        var norm = GradientNorm(sum, scale);
        if (!double.IsFinite(norm)) { return new RoundResult(eta, norm, "the gradient is not finite"); }

        if (spec.Clip is { Point: ClipPoint.Round } clip) { scale *= FlatNorm.ClipFactor(norm, clip.Norm); }
        if (resetMoments) { ResetMoments(); }

        var t = ++counters[Updates];
        AverageStatistics(sum, tally.Leaves, t);
        optimizer.Step(model.Theta, sum, scale, eta, t);
        return new RoundResult(eta, norm) { Values = TrustRatioRecord.IsDue(round) ? TrustRatioRecord.Of(optimizer.Ratios()) : ImmutableDictionary<string, double>.Empty };
    }

    private double GradientNorm(FlatBuffer gradient, double scale) =>
        Math.Sqrt(FlatNorm.SumOfSquares(gradient, model.Layout.ParameterLength, spec.Threads)) * scale;

    private void ScaleGradient(FlatBuffer gradient, double factor)
    {
        if (factor == 1) { return; }
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        gradient.Tensor.narrow(0, 0, model.Layout.ParameterLength).mul_(Number(factor));
    }

    /// <summary>
    /// running ← (1-μ)·running + μ·mean over leaves, with μ = max(0.1, 1/t): a plain mean at first, so that a run of few
    /// large batches does not evaluate with what is left of the initial values.
    /// </summary>
    private void AverageStatistics(FlatBuffer sum, double leaves, long t)
    {
        var layout = model.Layout;
        if (layout.Statistics.IsEmpty) { return; }
        var momentum = Math.Max(StatisticMomentum, 1.0 / t);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var running = model.Theta.Tensor.narrow(0, layout.ParameterLength, layout.Length - layout.ParameterLength);
        var ofRound = sum.Tensor.narrow(0, layout.ParameterLength, layout.Length - layout.ParameterLength);
        running.mul_(Number(1 - momentum)).add_(ofRound, alpha: Number(momentum / leaves));
    }

    private void ResetMoments()
    {
        foreach (var (_, moment) in optimizer.Moments) { moment.Clear(); }
        counters[Updates] = 0;
    }
}
