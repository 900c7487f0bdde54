using Cluster.Trainer.Core.Native;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Graphs;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>
/// Single-forward learning (ForwardGNN Algorithm 2, and Algorithm 4 for links): one graph, one forward pass, and a loss on each layer's
/// embeddings. A layer learns to its end on the frozen outputs of the one below.
/// <code>
///   h_l = relu(encode(x̂_l))      x̂_{l+1} = h_l / |h_l|      L_l(h_l): Eq. 6 for nodes, Eq. 9 for links
///   prediction: the probabilities of all layers, averaged
/// </code>
/// </summary>
internal sealed class SingleForward(IEmbeddingTask task, IReadOnlyList<GraphLayer> layers) : IGraphAlgorithm
{
    private readonly Frozen<Stage> _frozen = new();

    public IReadOnlyList<GraphLayer> Layers => layers;

    public int Samples => task.Samples;

    public long ValidationTotal => task.ValidationTotal;

    public GraphTally Learn(int unit, int first, int count, IReadOnlyList<LayerTensors> weights, IReadOnlyList<Tensor> memory, IReadOnlyList<LayerTensors> gradient)
    {
        var stage = Below(unit, weights);
        var pass = stage.Passes.Of(first, count, () => layers[unit].Encoder.Prepare([task.Messages], stage.Inputs, task.NodesOf(first, count)));
        var h = pass.Forward(weights[unit]).relu_(); // [1, R, d]
        var (tally, byH) = task.Learn(h[0], first, count);
        pass.Backward(weights[unit], (byH * h[0].Above(0)).unsqueeze(0), gradient[unit]);
        return tally;
    }

    public long Validate(int unit, IReadOnlyList<LayerTensors> weights)
    {
        var stage = Below(unit, weights);
        var h = stage.Asking.Forward(weights[unit]).relu_()[0];
        return task.Right(stage.Scores is null ? task.Scores(h, Examination.Validation) : stage.Scores.Plus(task.Scores(h, Examination.Validation)));
    }

    public Tally Evaluate(int unit, IReadOnlyList<LayerTensors> weights) =>
        task.Judge(Below(unit + 1, weights, task.TestMessages, Examination.Test).Scores!.Over(unit + 1));

    public void Dispose()
    {
        _frozen.Dispose();
        task.Dispose();
    }

    private Stage Below(int unit, IReadOnlyList<LayerTensors> weights) => _frozen.Below(unit, () =>
    {
        var (inputs, scores) = Below(unit, weights, task.Messages, Examination.Validation);
        return new Stage(inputs, layers[unit].Encoder.Prepare([task.Messages], inputs, task.NodesOf(Examination.Validation)), scores);
    });

    /// <summary>Inputs of a layer, and the summed probabilities of those below it; null where there are none.</summary>
    private (InputRows Inputs, Tensor? Scores) Below(int layer, IReadOnlyList<LayerTensors> weights, Adjacency messages, Examination part)
    {
        var inputs = new InputRows(RowNorm.L2(task.Features));
        var scores = default(Tensor);
        for (var l = 0; l < layer; l++)
        {
            using var layerScope = NewDisposeScope(); // So that depth takes no memory.
            using var below = inputs;
            var h = layers[l].Encoder.Apply([messages], below, weights[l])[0].relu_();
            var own = task.Scores(task.NodesOf(part) is { } nodes ? h.index_select(0, NodeRows.Of(nodes)) : h, part);
            using var before = scores;
            scores = (before is null ? own : before.Plus(own)).MoveToOuterDisposeScope();
            inputs = new InputRows(RowNorm.L2(h)).MoveToOuterDisposeScope();
        }

        return (inputs, scores);
    }

    /// <summary>What the layer that learns is given by those below.</summary>
    private sealed class Stage(InputRows inputs, ILayerPass asking, Tensor? scores) : IDisposable
    {
        public InputRows Inputs { get; } = inputs.Keep();

        public ILayerPass Asking { get; } = asking.Keep();

        public Tensor? Scores { get; } = scores?.DetachFromDisposeScope();

        public PassCache Passes { get; } = new();

        public void Dispose()
        {
            Passes.Dispose();
            Asking.Dispose();
            Inputs.Dispose();
            Scores?.Dispose();
        }
    }
}
