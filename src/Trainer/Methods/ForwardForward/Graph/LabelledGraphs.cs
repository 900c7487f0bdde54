using Cluster.Trainer.Core.Graphs;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>Graphs over the same nodes that say of some of them that they have one label or another, and the inputs of a layer on them.</summary>
/// <param name="Graphs">One for all, or one for each labelling.</param>
/// <param name="Inputs">X̂, normalised.</param>
internal sealed record LabelledGraphs(IReadOnlyList<Adjacency> Graphs, InputRows Inputs)
{
    public LabelledGraphs MoveToOuterDisposeScope() => this with { Inputs = Inputs.MoveToOuterDisposeScope() };

    /// <summary>Inputs of the layer above: each graph's own outputs, normalised.</summary>
    public LabelledGraphs Above(GraphLayer layer, LayerTensors weights) => this with { Inputs = new(RowNorm.L2(layer.Encoder.Apply(Graphs, Inputs, weights).relu_())) };

    public ILayerPass Prepare(GraphLayer layer, IReadOnlyList<int> rows) => layer.Encoder.Prepare(Graphs, Inputs, rows);
}
