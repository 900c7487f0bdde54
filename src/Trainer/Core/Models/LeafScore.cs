namespace Cluster.Trainer.Core.Models;

/// <summary>The scalars of one leaf, as sums: they may be added over leaves in any grouping and divided by the weight in the end.</summary>
/// <param name="Samples">Samples in the batch.</param>
/// <param name="Weight">Targets that count: the samples, or the tokens to predict. 0 where every target is Batch.NoTarget.</param>
/// <param name="Loss">Sum of the cross-entropies, in nats, over the weight.</param>
/// <param name="Correct">Of the weight, where the largest logit is the target.</param>
internal readonly record struct LeafScore(double Samples, double Weight, double Loss, double Correct);
