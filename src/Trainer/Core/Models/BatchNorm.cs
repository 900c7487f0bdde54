using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Cluster.Trainer.Core.Models;

/// <summary>
/// Batch normalisation of [n, channels, height, width] over n, height and width (Ioffe and Szegedy 2015) as a pure function of
/// the leaf: training normalises with the leaf's own mean and variance and writes both to <see cref="LeafStatistics"/>; evaluation uses
/// the running statistics. The forward pass never changes the running statistics, so what a leaf gives does not depend on the
/// leaves before it; whoever averages the leaves' statistics over a round moves them.
/// </summary>
internal sealed class BatchNorm : Module<Tensor, Tensor>
{
    private readonly Parameter weight; // γ [channels]
    private readonly Parameter bias;   // β [channels]
    private readonly Tensor running_mean;
    private readonly Tensor running_var;

    public BatchNorm(long channels) : base(nameof(BatchNorm))
    {
        weight = Parameter(ones(channels));
        bias = Parameter(zeros(channels));
        running_mean = zeros(channels);
        running_var = ones(channels);
        RegisterComponents();
    }

    /// <summary>
    /// Where a training pass leaves the mean and the unbiased variance (n-1 in the divisor, as PyTorch's running variance has)
    /// of what it normalised, [channels] each.
    /// </summary>
    public (Tensor Mean, Tensor Variance)? LeafStatistics { get; set; }

    public override Tensor forward(Tensor input)
    {
        if (!training) { return functional.batch_norm(input, running_mean, running_var, weight, bias, training: false); }

        // running ← (1 − momentum) · running + momentum · batch: with momentum 1 the "running" statistic is the batch's own.
        var (mean, variance) = LeafStatistics ?? throw new InvalidOperationException("a training pass needs a place for the leaf's statistics");
        return functional.batch_norm(input, mean, variance, weight, bias, training: true, momentum: 1);
    }
}
