using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Native;
using Cluster.Trainer.Core;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>
/// Forward-forward learning of node classes (ForwardGNN Algorithm 1, Eq. 3): one graph in which the training nodes T have their right
/// labels, and K - 1 in which all of them have wrong ones, each node its own in a random order.
/// <code>
///   g_i = Σ_j h_ij²                            in the right graph g⁺, in the wrong ones g⁻_s
///   L = mean_T softplus(θ - g⁺) + mean_s mean_T softplus(g⁻_s - θ)
///   prediction: in graph k the asked nodes have label k; the largest goodness over the layers wins
/// </code>
/// How a label gets into a graph is what the two variants differ in.
/// </summary>
internal abstract class ContrastiveNodes(NodeTask task, IReadOnlyList<GraphLayer> layers, Contrast contrast, KnownLabels known) : IGraphAlgorithm
{
    private readonly Frozen<Stage> _frozen = new();

    protected NodeTask Task => task;

    public IReadOnlyList<GraphLayer> Layers => layers;

    public int Samples => task.Split.Train.Length;

    public long ValidationTotal => task.Split.Validation.Length;

    /// <summary>The first layer's graphs, one for each labelling. All labellings name the same nodes.</summary>
    protected abstract LabelledGraphs Label(IReadOnlyList<(int Node, int Label)[]> labellings);

    /// <summary>The next layer's training graphs.</summary>
    protected virtual LabelledGraphs Above(LabelledGraphs training, GraphLayer layer, LayerTensors weights) => training.Above(layer, weights);

    public GraphTally Learn(int unit, int first, int count, IReadOnlyList<LayerTensors> weights, IReadOnlyList<Tensor> memory, IReadOnlyList<LayerTensors> gradient)
    {
        var pass = Below(unit, weights).Learning(layers[unit], task.Split.Train.AsSpan(first, count).ToArray());
        var h = pass.Forward(weights[unit]).relu_(); // [K, n, d]
        var g = Goodness.Of(h);                      // [K, n], the right graph first
        var (positive, negative) = (g[0], g.narrow(0, 1, task.Classes - 1));
        var (losses, byPositive, byNegative) = contrast.Of(positive, negative);
        pass.Backward(weights[unit], Goodness.Back(cat([byPositive.unsqueeze(0), byNegative]), h), gradient[unit]);
        return new GraphTally(losses.Total(), contrast.Right(positive, negative).Total(), positive.Total(), negative.mean([0L]).Total());
    }

    public long Validate(int unit, IReadOnlyList<LayerTensors> weights)
    {
        var stage = Below(unit, weights);
        var scores = stage.Votes.Plus(Votes(stage.Asking.Forward(weights[unit])));
        return (long)scores.argmax(1).eq(task.LabelsOf(task.Split.Validation)).Total();
    }

    public Tally Evaluate(int unit, IReadOnlyList<LayerTensors> weights)
    {
        var knownToo = known == KnownLabels.TrainingAndValidation ? task.Split.Validation : [];
        var graphs = Ask(task.Split.Test, knownToo);
        var scores = zeros(task.Split.Test.Length, task.Classes, dtype: task.Features.dtype);
        for (var l = 0; l <= unit; l++)
        {
            using var layerScope = NewDisposeScope(); // So that depth takes no memory.
            using var below = graphs.Inputs;
            using var pass = graphs.Prepare(layers[l], task.Split.Test);
            scores.Add(Votes(pass.Forward(weights[l])));
            if (l < unit) { graphs = graphs.Above(layers[l], weights[l]).MoveToOuterDisposeScope(); }
        }

        return NodeEmbeddings.Tally(scores.Over(unit + 1).log_softmax(1), task.LabelsOf(task.Split.Test));
    }

    public void Dispose()
    {
        _frozen.Dispose();
        task.Dispose();
    }

    /// <summary>Σ y² of each graph as a vote of each class, [n, K].</summary>
    private static Tensor Votes(Tensor z) => Goodness.Of(z.relu()).t();

    private LabelledGraphs Ask(IEnumerable<int> nodes, IEnumerable<int> alsoKnown)
    {
        (int, int)[] given = [.. task.Training(), .. alsoKnown.Select(node => (node, task.Labels[node]))];
        return Label([.. Enumerable.Range(0, task.Classes).Select(label => ((int, int)[])[.. given, .. nodes.Select(node => (node, label))])]);
    }

    private Stage Below(int unit, IReadOnlyList<LayerTensors> weights) => _frozen.Below(unit, () =>
    {
        var training = Label([.. Enumerable.Range(0, task.Classes).Select(labelling => task.Training(labelling).ToArray())]);
        var asking = Ask(task.Split.Validation, []);
        var votes = zeros(task.Split.Validation.Length, task.Classes, dtype: task.Features.dtype);
        for (var l = 0; l < unit; l++)
        {
            using var layerScope = NewDisposeScope();
            using var belowTraining = training.Inputs;
            using var belowAsking = asking.Inputs;
            using var pass = asking.Prepare(layers[l], task.Split.Validation);
            votes.Add(Votes(pass.Forward(weights[l])));
            training = Above(training, layers[l], weights[l]).MoveToOuterDisposeScope();
            asking = asking.Above(layers[l], weights[l]).MoveToOuterDisposeScope();
        }

        return new Stage(training, asking, asking.Prepare(layers[unit], task.Split.Validation), votes);
    });

    /// <summary>What the layer that learns is given by those below.</summary>
    private sealed class Stage : IDisposable
    {
        private readonly LabelledGraphs _training;
        private readonly LabelledGraphs _asking; // Some passes share its tensors.
        private readonly PassCache _passes = new();

        public Stage(LabelledGraphs training, LabelledGraphs asking, ILayerPass pass, Tensor votes)
        {
            (_training, _asking, Asking, Votes) = (training, asking, pass.Keep(), votes.DetachFromDisposeScope());
            training.Inputs.Keep();
            asking.Inputs.Keep();
        }

        /// <summary>The nodes kept for validation, with each label.</summary>
        public ILayerPass Asking { get; }

        /// <summary>What the layers below say of them, [n, K].</summary>
        public Tensor Votes { get; }

        public ILayerPass Learning(GraphLayer layer, int[] rows) => _passes.Of(rows[0], rows.Length, () => _training.Prepare(layer, rows));

        public void Dispose()
        {
            _passes.Dispose();
            Asking.Dispose();
            Votes.Dispose();
            _training.Inputs.Dispose();
            _asking.Inputs.Dispose();
        }
    }
}
