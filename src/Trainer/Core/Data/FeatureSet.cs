using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Data;

/// <summary>Labelled rows of numbers, held as float32.</summary>
internal sealed class FeatureSet : ILabelledSet
{
    private readonly float[] _values; // [Count, features]
    private readonly byte[] _labels;  // [Count]
    private readonly int _features;

    /// <param name="values">[count, features], row by row.</param>
    /// <param name="labels">[count], each below <paramref name="classes"/>.</param>
    public FeatureSet(float[] values, byte[] labels, int classes)
    {
        _features = labels.Length == 0 ? 0 : values.Length / labels.Length;
        if (labels.Length == 0 || values.Length != labels.Length * _features)
        {
            throw new ArgumentException($"{values.Length} values do not make {labels.Length} rows", nameof(values));
        }

        (_values, _labels, Classes) = (values, labels, classes);
        InputShape = [_features];
    }

    public long Count => _labels.Length;

    public IReadOnlyList<long> InputShape { get; }

    public int Classes { get; }

    public ReadOnlySpan<byte> Labels => _labels;

    public Batch Gather(ReadOnlySpan<long> samples, ulong seed, Device device)
    {
        var inputs = TensorMemory.Allocate(ScalarType.Float32, samples.Length, _features); // [n, features]
        var targets = TensorMemory.Allocate(ScalarType.Int64, samples.Length);             // [n]
        var values = TensorMemory.Elements<float>(inputs);
        var classes = TensorMemory.Elements<long>(targets);
        for (var i = 0; i < samples.Length; i++)
        {
            var sample = samples[i];
            ArgumentOutOfRangeException.ThrowIfNegative(sample, nameof(samples));
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(sample, Count, nameof(samples));
            classes[i] = _labels[sample];
            _values.AsSpan((int)sample * _features, _features).CopyTo(values.Slice(i * _features, _features));
        }

        return new Batch(TensorMemory.MoveTo(inputs, device), TensorMemory.MoveTo(targets, device), samples.Length);
    }
}
