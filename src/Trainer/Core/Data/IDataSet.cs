using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Data;

/// <summary>One split of a data set, held in memory, read by sample number. Reading is thread-safe.</summary>
internal interface IDataSet
{
    /// <summary>Samples in this split; at least 1.</summary>
    long Count { get; }

    /// <summary>Shape of one sample's input: [channels, height, width], [tokens], or of masked patches [patches, 1 + pixels].</summary>
    IReadOnlyList<long> InputShape { get; }

    /// <summary>
    /// Number of classes, or of tokens that can be predicted. Masked text shows one token more than it asks for: the mask,
    /// whose number is this one.
    /// </summary>
    int Classes { get; }

    /// <summary>
    /// The samples with these numbers, in this order, a number as often as it is asked for. <paramref name="seed"/> feeds
    /// whatever chance a batch has (masking), together with the sample's number alone: a sample's masks do not depend on which
    /// others are gathered with it. Without chance it is not used.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative or not below <see cref="Count"/>.</exception>
    Batch Gather(ReadOnlySpan<long> samples, ulong seed, Device device);

    /// <summary>So many samples in their own order, from <paramref name="first"/>.</summary>
    Batch GatherRun(long first, int count, ulong seed, Device device)
    {
        var samples = new long[count];
        for (var i = 0; i < count; i++) { samples[i] = first + i; }
        return Gather(samples, seed, device);
    }
}

/// <summary>A data set whose samples each have one class.</summary>
internal interface ILabelledSet : IDataSet
{
    /// <summary>The class of each sample, [Count].</summary>
    ReadOnlySpan<byte> Labels { get; }
}

/// <summary>The part of a data set to open.</summary>
internal enum DataSplit
{
    None = 0,
    Train,
    Evaluation,
}

/// <summary>What pixels become.</summary>
internal enum PixelRange
{
    /// <summary>Mean 0 and deviation 1 over the training images, where the data set has such constants; else 0 to 1.</summary>
    Standardised,

    /// <summary>0 to 1: black is nothing.</summary>
    Unit,
}

/// <summary>
/// Samples as tensors. Inputs are float32 [n, ...InputShape] or int64 tokens [n, T]; targets are int64 classes [n] or tokens
/// [n, T], with <see cref="NoTarget"/> where nothing is to be predicted; of masked patches see <see cref="MaskedPatches"/>.
/// </summary>
internal sealed record Batch(Tensor Inputs, Tensor Targets, int Samples) : IDisposable
{
    /// <summary>What cross-entropy ignores.</summary>
    public const long NoTarget = -100;

    /// <summary>The samples of one batch after the other's; the parts are freed.</summary>
    public static Batch Join(IReadOnlyList<Batch> parts)
    {
        if (parts is [var only]) { return only; }
        var joined = new Batch(cat([.. parts.Select(part => part.Inputs)]), cat([.. parts.Select(part => part.Targets)]), parts.Sum(part => part.Samples));
        foreach (var part in parts) { part.Dispose(); }
        return joined;
    }

    public void Dispose()
    {
        Inputs.Dispose();
        Targets.Dispose();
    }
}
