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
/// gradients, and behind it what a round needs beside them. Of a run of layers there are theirs alone; the read-out belongs to the highest.
/// </summary>
internal sealed class DenseNet
{
    /// <summary>Numbers in the record of a layer: the sums of g⁺, of g⁻, of the loss, and of what is on the right side.</summary>
    public const int RecordLength = 4;

    private readonly Dictionary<string, Segment> _segments;
    private readonly bool _peers;

    /// <param name="inputs">Inputs of the first layer.</param>
    /// <param name="classes">Of the read-out; 0 for none.</param>
    /// <param name="peers">Mean activities are kept.</param>
    public DenseNet(long inputs, ImmutableArray<int> widths, int classes, bool peers)
        : this(inputs, widths, classes, peers, new LayerRange(0, widths.Length))
    {
    }

    private DenseNet(long inputs, ImmutableArray<int> widths, int classes, bool peers, LayerRange layers)
    {
        (Widths, Classes, Layers, _peers) = (widths, classes, layers, peers);
        FanIns = [.. widths.Select(width => (long)width).Prepend(inputs)];
        var tensors = new List<(string, ImmutableArray<long>, SegmentRole)>();
        for (var l = layers.First; l < layers.End; l++)
        {
            tensors.Add((Name(l, "weight"), [widths[l], FanIns[l]], SegmentRole.Parameter));
            tensors.Add((Name(l, "bias"), [widths[l]], SegmentRole.Parameter));
        }

        if (HasReadOut)
        {
            tensors.Add(("readOut.weight", [classes, Read.Sum(l => (long)widths[l])], SegmentRole.Parameter));
            tensors.Add(("readOut.bias", [classes], SegmentRole.Parameter));
        }

        var sums = new List<(string, ImmutableArray<long>, SegmentRole)>();
        for (var l = layers.First; l < layers.End && peers; l++)
        {
            tensors.Add((Name(l, "activity"), [widths[l]], SegmentRole.Statistic));
            sums.Add((Name(l, "inputs"), [FanIns[l]], SegmentRole.Statistic));
        }

        Layout = new Layout(tensors);
        Contribution = new Layout([.. tensors, .. sums, ("records", [layers.Count, RecordLength], SegmentRole.Statistic)]);
        _segments = Contribution.Segments.ToDictionary(segment => segment.Name);
    }

    /// <summary>Of all layers.</summary>
    public ImmutableArray<int> Widths { get; }

    /// <summary>Inputs of each layer; one more than there are layers, the last one being what the highest layer hands up.</summary>
    public ImmutableArray<long> FanIns { get; }

    /// <summary>Of the read-out; 0 for none.</summary>
    public int Classes { get; }

    /// <summary>The layers whose tensors are here.</summary>
    public LayerRange Layers { get; }

    /// <summary>Of all layers.</summary>
    public int Count => Widths.Length;

    /// <summary>Whether all layers are here.</summary>
    public bool IsWhole => Layers.Count == Count;

    /// <summary>Whether the read-out is here.</summary>
    public bool HasReadOut => Classes > 0 && Layers.End == Count;

    /// <summary>The layers that are read and that vote: all but the first, whose activities hold the label too plainly; the one, where there is but one.</summary>
    public IEnumerable<int> Read => Count == 1 ? [0] : Enumerable.Range(1, Count - 1);

    /// <summary>The same net, of which a run of layers is here.</summary>
    public DenseNet Only(LayerRange layers) => new(FanIns[0], Widths, Classes, _peers, layers);

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

    /// <summary>[layers here, <see cref="RecordLength"/>].</summary>
    public Tensor Records(FlatBuffer contribution) => contribution.View(_segments["records"]);

    private static string Name(int layer, string tensor) => Prefix(layer) + tensor;
}
