using Cluster.Trainer.Core.Native;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Graphs;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>
/// The base line: the same encoders, one loss at the top, and its gradient carried down through all layers.
/// <code>
///   h_0 = X     h_l = relu(encode(h_{l-1})) below the last, whose outputs are taken as they are
///   nodes: softmax over K outputs      links: Eq. 9 on the last layer's embeddings
/// </code>
/// Nothing is normalised between layers. The activations of all layers are held until the gradient has come back to them.
/// </summary>
/// <param name="messages">While it learns and is validated; <paramref name="testMessages"/> in the test.</param>
/// <param name="features">X, [N, F].</param>
internal sealed class BackPropagation(Adjacency messages, Adjacency testMessages, Tensor features, IOutputTask task, IReadOnlyList<GraphLayer> layers) : IGraphAlgorithm
{
    private ILayerPass? _first; // Â X stays the same.

    public IReadOnlyList<GraphLayer> Layers => layers;

    public int LayersPerUnit => layers.Count;

    public int Samples => task.Samples;

    public long ValidationTotal => task.ValidationTotal;

    public GraphTally Learn(int unit, int first, int count, IReadOnlyList<LayerTensors> weights, IReadOnlyList<Tensor> memory, IReadOnlyList<LayerTensors> gradient)
    {
        _first ??= Prepare(0, features).Keep();
        var (passes, outputs) = (new ILayerPass[layers.Count], new Tensor[layers.Count]);
        for (var l = 0; l < layers.Count; l++)
        {
            using var layerScope = NewDisposeScope(); // Held are passes and outputs, and no more than that.
            passes[l] = l == 0 ? _first : Prepare(l, outputs[l - 1]).Keep();
            var z = passes[l].Forward(weights[l])[0];
            outputs[l] = (l == layers.Count - 1 ? z : z.relu_()).MoveToOuterDisposeScope();
        }

        var (tally, byOutput) = task.Learn(outputs[^1], first, count);
        for (var l = layers.Count - 1; l >= 0; l--)
        {
            using var layerScope = NewDisposeScope();
            using var above = byOutput;
            var byZ = above.unsqueeze(0);
            passes[l].Backward(weights[l], byZ, gradient[l]);
            outputs[l].Dispose();
            if (l > 0)
            {
                byOutput = (passes[l].InputGradient(weights[l], byZ) * outputs[l - 1].Above(0)).MoveToOuterDisposeScope();
                passes[l].Dispose();
            }
        }

        return tally;
    }

    public long Validate(int unit, IReadOnlyList<LayerTensors> weights) => task.Right(Outputs(weights, messages));

    public Tally Evaluate(int unit, IReadOnlyList<LayerTensors> weights) => task.Judge(Outputs(weights, testMessages));

    public void Dispose()
    {
        _first?.Dispose();
        features.Dispose();
        task.Dispose();
    }

    private ILayerPass Prepare(int layer, Tensor input) => layers[layer].Encoder.Prepare([messages], new InputRows(input), rows: null);

    private Tensor Outputs(IReadOnlyList<LayerTensors> weights, Adjacency graph)
    {
        var h = features;
        for (var l = 0; l < layers.Count; l++)
        {
            using var layerScope = NewDisposeScope();
            using var below = l == 0 ? null : h;
            var z = layers[l].Encoder.Apply([graph], new InputRows(h), weights[l])[0];
            h = (l == layers.Count - 1 ? z : z.relu_()).MoveToOuterDisposeScope();
        }

        return h;
    }
}

/// <summary>What the last layer of the base line is asked for.</summary>
internal interface IOutputTask : IDisposable
{
    int Samples { get; }

    long ValidationTotal { get; }

    /// <param name="outputs">Of all nodes, [N, outputs].</param>
    /// <returns>The sums over some samples, and the gradient of Σ ℓ to all outputs.</returns>
    (GraphTally Tally, Tensor ByOutputs) Learn(Tensor outputs, int first, int count);

    /// <summary>What is right of the validation.</summary>
    long Right(Tensor outputs);

    /// <summary>The test.</summary>
    Tally Judge(Tensor outputs);
}
