using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward;

/// <summary>
/// Writes a label into the input, one-hot, over the first inputs or before them (Hinton 2022, section 3.3). A neutral label is 1/K
/// everywhere.
/// </summary>
internal sealed class LabelInput(int classes, LabelPlace place, double value)
{
    public int Classes => classes;

    /// <summary>Inputs of a labelled sample.</summary>
    public long Width(long inputs) => place == LabelPlace.Prepend ? inputs + classes : inputs;

    /// <param name="x">[n, d], float32.</param>
    /// <param name="labels">[n].</param>
    /// <returns>[n, Width(d)].</returns>
    public Tensor With(Tensor x, ReadOnlySpan<long> labels)
    {
        using var codes = TensorMemory.Allocate(ScalarType.Float32, labels.Length, classes);
        var elements = TensorMemory.Elements<float>(codes);
        elements.Clear();
        for (var i = 0; i < labels.Length; i++) { elements[i * classes + (int)labels[i]] = (float)value; }
        return Join(x, codes.to(x.dtype, x.device));
    }

    /// <summary>Every sample with the same label.</summary>
    public Tensor WithEach(Tensor x, int label) => With(x, [.. Enumerable.Repeat((long)label, (int)x.shape[0])]);

    public Tensor Neutral(Tensor x) => Join(x, TensorNumbers.Filled(value / classes, [x.shape[0], classes], x.dtype, x.device));

    private Tensor Join(Tensor x, Tensor codes) => cat([codes, place == LabelPlace.Prepend ? x : x.narrow(1, classes, x.shape[1] - classes)], 1);
}
