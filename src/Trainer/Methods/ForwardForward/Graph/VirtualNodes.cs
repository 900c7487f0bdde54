using Cluster.Contracts.Spec;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>
/// FF-VN (ForwardGNN Eq. 5): the label is an edge, in both directions, to the virtual node of a class. All training graphs hold the same
/// features; those of the next layer are the outputs on the right graph (Algorithm 1).
/// </summary>
internal sealed class VirtualNodes(NodeTask task, IReadOnlyList<GraphLayer> layers, Contrast contrast, KnownLabels known)
    : ContrastiveNodes(task, layers, contrast, known)
{
    protected override LabelledGraphs Label(IReadOnlyList<(int Node, int Label)[]> labellings) =>
        new([.. labellings.Select(Task.Joined)], new InputRows(RowNorm.L2(Task.WithVirtual())));

    protected override LabelledGraphs Above(LabelledGraphs training, GraphLayer layer, LayerTensors weights) =>
        training with { Inputs = new(RowNorm.L2(layer.Encoder.Apply([training.Graphs[0]], training.Inputs, weights)[0].relu_())) };
}
