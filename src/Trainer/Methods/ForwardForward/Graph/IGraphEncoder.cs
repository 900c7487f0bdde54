using System.Collections.Immutable;
using Cluster.Trainer.Core.Graphs;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>
/// A kind of graph layer: how a node's row and those of its neighbours become one. Z is what comes before the ReLU. Several graphs over
/// the same nodes are computed at once: one graph for all inputs, or one for each, or one input for all graphs.
/// </summary>
internal interface IGraphEncoder
{
    /// <summary>Names and shapes of a layer's tensors, in the order of <see cref="LayerTensors"/>.</summary>
    IReadOnlyList<(string Name, ImmutableArray<long> Shape)> Tensors(long inputs, long outputs);

    /// <summary>Draws a layer's initial values from torch's generator.</summary>
    void Initialise(LayerTensors layer);

    /// <summary>Z of all nodes, once. [S, nodes, h].</summary>
    /// <param name="inputs">X̂ of all nodes.</param>
    Tensor Apply(IReadOnlyList<Adjacency> graphs, InputRows inputs, LayerTensors layer);

    /// <summary>Makes ready what stays the same while a layer's weights change.</summary>
    /// <param name="inputs">X̂ of all nodes.</param>
    /// <param name="rows">The nodes whose outputs are wanted, in this order; null for all.</param>
    ILayerPass Prepare(IReadOnlyList<Adjacency> graphs, InputRows inputs, IReadOnlyList<int>? rows);
}

/// <summary>One layer on inputs that stay the same.</summary>
internal interface ILayerPass : IDisposable
{
    /// <returns>Z, [S, R, h].</returns>
    Tensor Forward(LayerTensors layer);

    /// <summary>Adds the gradient to the layer's own tensors; belongs to the last <see cref="Forward"/>.</summary>
    /// <param name="byZ">∂L/∂Z, [S, R, h].</param>
    void Backward(LayerTensors layer, Tensor byZ, LayerTensors gradient);

    /// <summary>
    /// ∂L/∂X̂, [nodes, d], of one graph with all rows: for back-propagation alone, and after <see cref="Backward"/>. Layer-local
    /// learning never asks for it.
    /// </summary>
    Tensor InputGradient(LayerTensors layer, Tensor byZ);

    /// <summary>Takes its tensors out of the scope; they live until it is disposed.</summary>
    ILayerPass Keep();
}
