using System.Collections.Immutable;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Data;

/// <summary>Labelled images, held as the bytes of the file: one byte a pixel, scaled as they are gathered.</summary>
internal sealed class ImageSet : ILabelledSet
{
    private readonly byte[] _pixels; // [Count, channels, height, width]
    private readonly byte[] _labels; // [Count]
    private readonly ImmutableArray<PixelScale> _channels;
    private readonly int _plane; // Pixels in one channel of one image.

    /// <param name="pixels">[count, channels, height, width], row by row.</param>
    /// <param name="labels">[count], each below <paramref name="classes"/>.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    /// <param name="channels">The scale of each channel.</param>
    public ImageSet(byte[] pixels, byte[] labels, int classes, int height, int width, ImmutableArray<PixelScale> channels)
    {
        _plane = height * width;
        if (pixels.LongLength != labels.LongLength * channels.Length * _plane)
        {
            throw new ArgumentException($"{pixels.LongLength} pixels do not make {labels.Length} images of {channels.Length}x{height}x{width}", nameof(pixels));
        }

        (_pixels, _labels, _channels) = (pixels, labels, channels);
        Classes = classes;
        InputShape = [channels.Length, height, width];
    }

    public long Count => _labels.Length;

    public IReadOnlyList<long> InputShape { get; }

    public int Classes { get; }

    public ReadOnlySpan<byte> Labels => _labels;

    public Batch Gather(ReadOnlySpan<long> samples, ulong seed, Device device)
    {
        var inputs = TensorMemory.Allocate(ScalarType.Float32, [samples.Length, .. InputShape]); // [n, C, H, W]
        var targets = TensorMemory.Allocate(ScalarType.Int64, samples.Length);                   // [n]
        var values = TensorMemory.Elements<float>(inputs);
        var classes = TensorMemory.Elements<long>(targets);
        for (var i = 0; i < samples.Length; i++)
        {
            var sample = samples[i];
            ArgumentOutOfRangeException.ThrowIfNegative(sample, nameof(samples));
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(sample, Count, nameof(samples));

            classes[i] = _labels[sample];
            for (var c = 0; c < _channels.Length; c++)
            {
                var pixels = _pixels.AsSpan(((int)sample * _channels.Length + c) * _plane, _plane);
                _channels[c].Apply(pixels, values.Slice((i * _channels.Length + c) * _plane, _plane));
            }
        }

        return new Batch(TensorMemory.MoveTo(inputs, device), TensorMemory.MoveTo(targets, device), samples.Length);
    }
}
