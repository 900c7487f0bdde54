using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Native;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Graphs;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>
/// Single forward with the layers above in the loss (ForwardGNN Eq. 8, Algorithm 3). All layers learn in every time step t:
/// <code>
///   h_l(t) = relu(encode( s_{l-1} ))             s_l = h_l / |h_l|: of this step or the last, the order; s_0 of the features
///   m_l = the mean of h_l(t) and s_{l+1} .. s_L of the last step, which are constants
///   L_l = Eq. 6 of m_l, virtual nodes included
///   prediction: one upward pass, the probabilities of all m_l averaged
/// </code>
/// </summary>
internal sealed class TopToLoss(NodeEmbeddings task, IReadOnlyList<GraphLayer> layers, ForwardForwardSpec.Graph spec) : IGraphAlgorithm
{
    private readonly UnitOrder _order = new(layers.Count, spec.Order);
    private readonly Tensor _features = RowNorm.L2(task.Features).DetachFromDisposeScope(); // s_0
    private readonly PassCache _ofFeatures = new();

    public IReadOnlyList<GraphLayer> Layers => layers;

    public bool IsCyclic => true;

    public int Samples => task.Samples;

    public long ValidationTotal => task.ValidationTotal;

    /// <summary>Normalised states of the last time step, then of this one.</summary>
    public IReadOnlyList<(string Name, long[] Shape)> Memory => UnitOrder.Memory(layers, task.Messages.Nodes);

    public void Begin(IReadOnlyList<LayerTensors> weights, IReadOnlyList<Tensor> memory)
    {
        foreach (var (l, state) in Upwards(weights).States.Index()) { memory[l].copy_(state); }
    }

    public GraphTally Learn(int unit, int first, int count, IReadOnlyList<LayerTensors> weights, IReadOnlyList<Tensor> memory, IReadOnlyList<LayerTensors> gradient)
    {
        var l = _order.LayerOf(unit);
        var nodes = task.NodesOf(first, count);
        if (l == 0) { return Learn(_ofFeatures.Of(first, count, () => Prepare(0, _features, nodes)), 0, nodes, first, count, weights, memory, gradient); }

        using var pass = Prepare(l, Below(l, unit, memory), nodes);
        return Learn(pass, l, nodes, first, count, weights, memory, gradient);
    }

    public void Remember(int unit, IReadOnlyList<LayerTensors> weights, IReadOnlyList<Tensor> memory)
    {
        var l = _order.LayerOf(unit);
        _order.Remember(unit, RowNorm.L2(Encode(l, Below(l, unit, memory), weights)), memory);
    }

    public long Validate(int unit, IReadOnlyList<LayerTensors> weights) => task.Right(Scores(weights, Examination.Validation));

    public Tally Evaluate(int unit, IReadOnlyList<LayerTensors> weights) => task.Judge(Scores(weights, Examination.Test));

    public void Dispose()
    {
        _ofFeatures.Dispose();
        _features.Dispose();
        task.Dispose();
    }

    private GraphTally Learn(
        ILayerPass pass, int layer, IReadOnlyList<int> nodes, int first, int count, IReadOnlyList<LayerTensors> weights, IReadOnlyList<Tensor> memory, IReadOnlyList<LayerTensors> gradient)
    {
        var h = pass.Forward(weights[layer]).relu_()[0]; // [R, d]
        var (tally, byMean) = task.Learn(Mean(layer, h, memory, NodeRows.Of(nodes)), first, count);
        pass.Backward(weights[layer], (byMean.Times(Share(layer)) * h.Above(0)).unsqueeze(0), gradient[layer]);
        return tally;
    }

    /// <summary>m_l of some rows.</summary>
    /// <param name="h">h_l, of these rows.</param>
    /// <param name="states">s_1 .. s_L, of all nodes.</param>
    private Tensor Mean(int layer, Tensor h, IReadOnlyList<Tensor> states, Tensor rows)
    {
        var sum = h.clone();
        for (var above = layer + 1; above < layers.Count; above++) { sum.Add(states[above].index_select(0, rows)); }
        return sum.Times(Share(layer));
    }

    /// <summary>Of h_l in m_l.</summary>
    private double Share(int layer) => 1.0 / (layers.Count - layer);

    private Tensor Below(int layer, int unit, IReadOnlyList<Tensor> memory) => layer == 0 ? _features : _order.StateOf(layer - 1, unit, memory);

    private ILayerPass Prepare(int layer, Tensor input, IReadOnlyList<int> nodes) => layers[layer].Encoder.Prepare([task.Messages], new InputRows(input), nodes);

    private Tensor Encode(int layer, Tensor input, IReadOnlyList<LayerTensors> weights)
    {
        using var scope = NewDisposeScope();
        return layers[layer].Encoder.Apply([task.Messages], new InputRows(input), weights[layer])[0].relu_().MoveToOuterDisposeScope();
    }

    /// <summary>What the layers give in an upward pass by itself, and the states s_1 .. s_L made of it.</summary>
    private (Tensor[] Activities, Tensor[] States) Upwards(IReadOnlyList<LayerTensors> weights)
    {
        var asReleased = spec.UpwardPass == UpwardPass.AsReleased;
        var input = asReleased ? task.Features : _features;
        var (activities, states) = (new Tensor[layers.Count], new Tensor[layers.Count]);
        for (var l = 0; l < layers.Count; l++)
        {
            activities[l] = Encode(l, input, weights);
            states[l] = RowNorm.L2(activities[l]);
            input = asReleased ? activities[l] : states[l];
        }

        return (activities, states);
    }

    private Tensor Scores(IReadOnlyList<LayerTensors> weights, Examination part)
    {
        var rows = NodeRows.Of(task.NodesOf(part));
        var (activities, states) = Upwards(weights);
        return Enumerable.Range(0, layers.Count)
            .Select(l => task.Scores(Mean(l, Own(l).index_select(0, rows), states, rows), part))
            .Aggregate((a, b) => a.Plus(b))
            .Over(layers.Count);

        Tensor Own(int l) => spec.UpwardPass == UpwardPass.AsReleased ? Encode(l, l == 0 ? _features : states[l - 1], weights) : activities[l];
    }
}
