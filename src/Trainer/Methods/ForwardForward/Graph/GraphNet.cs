using System.Collections.Immutable;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.State;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>Where the tensors of a graph network lie in a flat buffer, and what an algorithm remembers beside them.</summary>
internal sealed class GraphNet
{
    /// <summary>In a contribution, behind gradients and memory: the right ones of an update, g⁺ and g⁻.</summary>
    public const int RecordLength = 3;

    private readonly IReadOnlyList<GraphLayer> _layers;
    private readonly ImmutableArray<ImmutableArray<Segment>> _tensors;
    private readonly ImmutableArray<Segment> _memory;
    private readonly Segment _record;

    public GraphNet(IReadOnlyList<GraphLayer> layers, IReadOnlyList<(string Name, long[] Shape)> memory)
    {
        _layers = layers;
        (string, ImmutableArray<long>, SegmentRole)[] tensors =
        [
            .. layers.SelectMany((layer, l) => layer.Encoder.Tensors(layer.Inputs, layer.Outputs).Select(t => (Prefix(l) + t.Name, t.Shape, SegmentRole.Parameter))),
            .. memory.Select(m => (m.Name, m.Shape.ToImmutableArray(), SegmentRole.Statistic)),
        ];
        Layout = new Layout(tensors);

        // Memory is no part of a contribution: its layout is that of the parameters, then the record.
        var contribution = new Layout([.. tensors.Where(t => t.Item3 == SegmentRole.Parameter), ("record", [RecordLength], SegmentRole.Statistic)]);
        ContributionLength = contribution.Length;
        _record = contribution.Statistics[0];
        _tensors = [.. layers.Select((_, l) => Layout.Parameters.Where(s => s.Name.StartsWith(Prefix(l), StringComparison.Ordinal)).ToImmutableArray())];
        _memory = Layout.Statistics;
    }

    /// <summary>Of θ: the layers from the bottom up, then the memory.</summary>
    public Layout Layout { get; }

    public long ContributionLength { get; }

    public static string Prefix(int layer) => $"layers.{layer}.";

    /// <summary>The layers' tensors, or their gradients.</summary>
    public LayerTensors[] Layers(FlatBuffer buffer) => [.. _tensors.Select(t => new LayerTensors(
        buffer.View(t[0]), buffer.View(t[1]), t.Length > 2 ? buffer.View(t[2]) : null, t.Length > 2 ? buffer.View(t[3]) : null))];

    public Tensor[] Memory(FlatBuffer theta) => [.. _memory.Select(theta.View)];

    public Span<float> Record(FlatBuffer contribution) => contribution.Slice(_record.Offset, RecordLength);

    /// <summary>Each layer from a seed of its own.</summary>
    public void Initialise(FlatBuffer theta, long seed)
    {
        using var scope = NewDisposeScope();
        foreach (var (l, layer) in Layers(theta).Index())
        {
            using var generator = manual_seed((long)Seeds.Derive(seed, SeedPurpose.InitialWeights, l));
            _layers[l].Encoder.Initialise(layer);
        }
    }
}
