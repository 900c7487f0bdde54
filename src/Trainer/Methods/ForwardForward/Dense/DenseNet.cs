using System.Collections.Immutable;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Native;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.State;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Dense;

/// <summary>
/// Where the tensors of a dense net lie: layers from the bottom up, then the read-out. A contribution has the same layout for
/// gradients, and behind it what a round needs beside them.
/// </summary>
internal sealed class DenseNet
{
    /// <summary>Numbers in the record of a layer: the sums of g⁺, of g⁻, of the loss, and of what is on the right side.</summary>
    public const int RecordLength = 4;

    private readonly Dictionary<string, Segment> _segments;

    /// <param name="inputs">Inputs of the first layer.</param>
    /// <param name="classes">Of the read-out; 0 for none.</param>
    /// <param name="peers">Mean activities are kept.</param>
    public DenseNet(long inputs, ImmutableArray<int> widths, int classes, bool peers)
    {
        Widths = widths;
        var fanIns = widths.Select(width => (long)width).Prepend(inputs).SkipLast(1).ToArray();
        var tensors = new List<(string, ImmutableArray<long>, SegmentRole)>();
        for (var l = 0; l < widths.Length; l++)
        {
            tensors.Add((Name(l, "weight"), [widths[l], fanIns[l]], SegmentRole.Parameter));
            tensors.Add((Name(l, "bias"), [widths[l]], SegmentRole.Parameter));
        }

        if (classes > 0)
        {
            tensors.Add(("readOut.weight", [classes, Read.Sum(l => (long)widths[l])], SegmentRole.Parameter));
            tensors.Add(("readOut.bias", [classes], SegmentRole.Parameter));
        }

        var sums = new List<(string, ImmutableArray<long>, SegmentRole)>();
        for (var l = 0; l < widths.Length && peers; l++)
        {
            tensors.Add((Name(l, "activity"), [widths[l]], SegmentRole.Statistic));
            sums.Add((Name(l, "inputs"), [fanIns[l]], SegmentRole.Statistic));
        }

        Layout = new Layout(tensors);
        Contribution = new Layout([.. tensors, .. sums, ("records", [widths.Length, RecordLength], SegmentRole.Statistic)]);
        _segments = Contribution.Segments.ToDictionary(segment => segment.Name);
    }

    public ImmutableArray<int> Widths { get; }

    public int Count => Widths.Length;

    /// <summary>The layers that are read and that vote: all but the first, whose activities hold the label too plainly; the one, where there is but one.</summary>
    public IEnumerable<int> Read => Count == 1 ? [0] : Enumerable.Range(1, Count - 1);

    /// <summary>Of θ: weights and biases, then the mean activities.</summary>
    public Layout Layout { get; }

    /// <summary>Of a contribution: that of θ, then sums of inputs and the records.</summary>
    public Layout Contribution { get; }

    /// <summary>Names of one layer's tensors begin so.</summary>
    public static string Prefix(int layer) => $"layers.{layer}.";

    /// <summary>Weights from N(0, 1/√units), as in Hinton's code, each layer from a seed of its own; all else 0.</summary>
    public void Initialise(FlatBuffer theta, long seed)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        for (var l = 0; l < Count; l++)
        {
            using var generator = manual_seed((long)Seeds.Derive(seed, SeedPurpose.InitialWeights, l));
            var weight = Layer(theta, l).Weight;
            weight.copy_(randn(weight.shape).Over(Math.Sqrt(Widths[l])));
        }
    }

    public DenseLayer Layer(FlatBuffer buffer, int layer) => new(buffer.View(_segments[Name(layer, "weight")]), buffer.View(_segments[Name(layer, "bias")]));

    public ReadOut ReadOut(FlatBuffer buffer) => new(buffer.View(_segments["readOut.weight"]), buffer.View(_segments["readOut.bias"]));

    /// <summary>Mean activities in θ, their sum over samples in a contribution. [u].</summary>
    public Tensor Activity(FlatBuffer buffer, int layer) => buffer.View(_segments[Name(layer, "activity")]);

    /// <summary>Sum of a layer's inputs over the positive samples of a contribution. [d].</summary>
    public Tensor Inputs(FlatBuffer contribution, int layer) => contribution.View(_segments[Name(layer, "inputs")]);

    /// <summary>[layers, <see cref="RecordLength"/>].</summary>
    public Tensor Records(FlatBuffer contribution) => contribution.View(_segments["records"]);

    private static string Name(int layer, string tensor) => Prefix(layer) + tensor;
}
