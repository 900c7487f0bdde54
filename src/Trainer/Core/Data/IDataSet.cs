using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Data;

/// <summary>One split of a data set, held in memory, read by sample number.</summary>
internal interface IDataSet
{
    /// <summary>Samples in this split.</summary>
    long Count { get; }

    /// <summary>Shape of one sample's input: [features], [channels, height, width] or [tokens].</summary>
    IReadOnlyList<long> InputShape { get; }

    /// <summary>Number of classes, or of tokens in the vocabulary.</summary>
    int Classes { get; }

    /// <summary>
    /// The samples with these numbers, in this order. <paramref name="seed"/> feeds whatever chance a batch has (masking);
    /// without chance it is not used.
    /// </summary>
    Batch Gather(ReadOnlySpan<long> samples, ulong seed, Device device);
}

/// <summary>
/// Samples as tensors. Inputs are float32 [n, ...InputShape] or int64 tokens [n, T]; targets are int64 classes [n] or tokens
/// [n, T], with <see cref="NoTarget"/> where nothing is to be predicted.
/// </summary>
internal sealed record Batch(Tensor Inputs, Tensor Targets, int Samples) : IDisposable
{
    /// <summary>What cross-entropy ignores.</summary>
    public const long NoTarget = -100;

    public void Dispose()
    {
        Inputs.Dispose();
        Targets.Dispose();
    }
}
