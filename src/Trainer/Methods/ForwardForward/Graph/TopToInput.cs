using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Native;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Graphs;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>
/// Single forward with the layer above in the input (ForwardGNN Eq. 7, Algorithm 3). All layers learn in every time step t:
/// <code>
///   x̂_l(t) = [ h_{l-1} / |h_{l-1}| | h_{l+1} / |h_{l+1}| ]      h_{l-1} of this step or the last, h_{l+1} of the last: the order
///   h_0 = X      h_{L+1} = label rows: one-hot for training and virtual nodes, 1/K for all others; nothing for links
///   h_l(t) = relu(encode(x̂_l)), then the step on L_l(h_l)
/// </code>
/// The first states come from one upward pass with zeros above. A prediction runs time steps of its own from there, and adds the
/// probabilities of all layers from a given step on.
/// </summary>
internal sealed class TopToInput(IEmbeddingTask task, IReadOnlyList<GraphLayer> layers, Tensor? labelRows, ForwardForwardSpec.Graph spec) : IGraphAlgorithm
{
    private readonly UnitOrder _order = new(layers.Count, spec.Order);
    private readonly Tensor? _labelRows = labelRows?.DetachFromDisposeScope(); // [N, K]

    public IReadOnlyList<GraphLayer> Layers => layers;

    public bool IsCyclic => true;

    public int Samples => task.Samples;

    public long ValidationTotal => task.ValidationTotal;

    /// <summary>The states of the last time step, then those of this one.</summary>
    public IReadOnlyList<(string Name, long[] Shape)> Memory => UnitOrder.Memory(layers, task.Messages.Nodes);

    public void Begin(IReadOnlyList<LayerTensors> weights, IReadOnlyList<Tensor> memory)
    {
        foreach (var (l, state) in Upwards(weights, task.Messages).Index()) { memory[l].copy_(state); }
    }

    public GraphTally Learn(int unit, int first, int count, IReadOnlyList<LayerTensors> weights, IReadOnlyList<Tensor> memory, IReadOnlyList<LayerTensors> gradient)
    {
        var l = _order.LayerOf(unit);
        using var pass = layers[l].Encoder.Prepare([task.Messages], new InputRows(Input(l, l => _order.StateOf(l, unit, memory))), task.NodesOf(first, count));
        var h = pass.Forward(weights[l]).relu_()[0];
        var (tally, byH) = task.Learn(h, first, count);
        pass.Backward(weights[l], (byH * h.Above(0)).unsqueeze(0), gradient[l]);
        return tally;
    }

    public void Remember(int unit, IReadOnlyList<LayerTensors> weights, IReadOnlyList<Tensor> memory)
    {
        var state = Next(_order.LayerOf(unit), weights, l => _order.StateOf(l, unit, memory), task.Messages);
        _order.Remember(unit, state, memory);
    }

    public long Validate(int unit, IReadOnlyList<LayerTensors> weights) => task.Right(Scores(weights, task.Messages, Examination.Validation));

    public Tally Evaluate(int unit, IReadOnlyList<LayerTensors> weights) => task.Judge(Scores(weights, task.TestMessages, Examination.Test));

    public void Dispose()
    {
        _labelRows?.Dispose();
        task.Dispose();
    }

    /// <summary>Mean over the layers and the time steps that count.</summary>
    private Tensor Scores(IReadOnlyList<LayerTensors> weights, Adjacency messages, Examination part)
    {
        var asked = task.NodesOf(part) is { } nodes ? NodeRows.Of(nodes) : null;
        var last = Upwards(weights, messages);
        var total = default(Tensor);
        for (var step = 1; step <= spec.PredictionSteps; step++)
        {
            using var scope = NewDisposeScope();
            var fresh = last.ToArray();
            for (var unit = 0; unit < layers.Count; unit++)
            {
                var l = _order.LayerOf(unit);
                fresh[l] = Next(l, weights, l => _order.SeesFresh(l, unit) ? fresh[l] : last[l], messages);
                if (step < spec.PredictionFrom) { continue; }
                var own = task.Scores(asked is null ? fresh[l] : fresh[l].index_select(0, asked), part);
                total = (total is null ? own : total.Plus(own)).MoveToOuterDisposeScope();
            }

            last = [.. fresh.Select(state => state.MoveToOuterDisposeScope())];
        }

        return total!.Over(layers.Count * (spec.PredictionSteps - spec.PredictionFrom + 1));
    }

    private Tensor[] Upwards(IReadOnlyList<LayerTensors> weights, Adjacency messages)
    {
        var states = new Tensor[layers.Count];
        for (var l = 0; l < layers.Count; l++)
        {
            using var layerScope = NewDisposeScope();
            var below = l == 0 ? task.Features : states[l - 1];
            var missing = layers[l].Inputs - below.shape[1];
            var input = missing == 0 ? RowNorm.L2(below) : cat([RowNorm.L2(below), zeros(below.shape[0], missing, dtype: below.dtype)], 1);
            states[l] = layers[l].Encoder.Apply([messages], new InputRows(input), weights[l])[0].relu_().MoveToOuterDisposeScope();
        }

        return states;
    }

    private Tensor Next(int layer, IReadOnlyList<LayerTensors> weights, Func<int, Tensor> state, Adjacency messages)
    {
        using var scope = NewDisposeScope();
        return layers[layer].Encoder.Apply([messages], new InputRows(Input(layer, state)), weights[layer])[0].relu_().MoveToOuterDisposeScope();
    }

    /// <summary>x̂_l.</summary>
    private Tensor Input(int layer, Func<int, Tensor> state)
    {
        var below = RowNorm.L2(layer == 0 ? task.Features : state(layer - 1));
        var above = layer < layers.Count - 1 ? state(layer + 1) : _labelRows;
        return above is null ? below : cat([below, RowNorm.L2(above)], 1);
    }
}
