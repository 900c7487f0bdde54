using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>The algorithm and the layers that a spec asks for.</summary>
internal static class GraphAlgorithms
{
    /// <exception cref="Contracts.BadInputException">The graph is too small for links.</exception>
    public static IGraphAlgorithm Create(JobSpec job, ForwardForwardSpec.Graph spec, GraphData data) =>
        spec.Task == GraphTask.Links ? ForLinks(job, spec, data) : ForNodes(job, spec, NodeTask.Of(data, job.Seed));

    public static IGraphAlgorithm ForNodes(JobSpec job, ForwardForwardSpec.Graph spec, NodeTask task)
    {
        var net = new Net(job);
        var contrast = Contrasts.Of(spec, spec.Loss ?? GraphLoss.ForwardForward);
        return spec.Algorithm switch
        {
            GraphAlgorithm.FfLa => new LabelAppending(task, net.Layers(task.Inputs + task.Classes), contrast, spec.KnownLabels),
            GraphAlgorithm.FfVn => new VirtualNodes(task, net.Layers(task.Inputs), contrast, spec.KnownLabels),
            GraphAlgorithm.Sf => new SingleForward(new NodeEmbeddings(task, spec.Temperature), net.Layers(task.Inputs)),
            GraphAlgorithm.SfTopToInput => new TopToInput(new NodeEmbeddings(task, spec.Temperature), net.LayersWithAbove(task.Inputs, task.Classes), LabelRows(task), spec),
            GraphAlgorithm.SfTopToLoss => new TopToLoss(new NodeEmbeddings(task, spec.Temperature), net.Layers(task.Inputs), spec),
            GraphAlgorithm.BackPropagation => new BackPropagation(task.Real, task.Real, task.Features.alias().DetachFromDisposeScope(), new ClassOutputs(task), net.LayersWithOutput(task.Inputs, task.Classes)),
            _ => throw new ArgumentOutOfRangeException(nameof(spec), spec.Algorithm, "not an algorithm"),
        };
    }

    private static IGraphAlgorithm ForLinks(JobSpec job, ForwardForwardSpec.Graph spec, GraphData data)
    {
        var net = new Net(job);
        var features = data.Features.Dense(ScalarType.Float32).DetachFromDisposeScope();
        var loss = PairLoss.Of(spec, spec.Loss ?? GraphLoss.CrossEntropy);
        var task = new LinkEmbeddings(data.Nodes, features, LinkSplit.Of(data.Edges, job.Seed), loss);
        return spec.Algorithm switch
        {
            GraphAlgorithm.Sf => new SingleForward(task, net.Layers(task.Inputs)),
            GraphAlgorithm.SfTopToInput => new TopToInput(task, net.LayersWithAbove(task.Inputs, 0), null, spec),
            GraphAlgorithm.BackPropagation => new BackPropagation(task.Messages, task.TestMessages, features.alias().DetachFromDisposeScope(), new LinkOutputs(task), net.Layers(task.Inputs)),
            _ => throw new ArgumentOutOfRangeException(nameof(spec), spec.Algorithm, "not an algorithm for links"),
        };
    }

    /// <summary>What stands above the last layer: one-hot rows of training and virtual nodes, 1/K for all others. [N + K, K].</summary>
    private static Tensor LabelRows(NodeTask task)
    {
        using var rows = TensorNumbers.Filled(1.0 / task.Classes, [task.Nodes + task.Classes, task.Classes], ScalarType.Float64);
        var elements = TensorMemory.Elements<double>(rows);
        foreach (var (node, label) in task.Training().Concat(Enumerable.Range(0, task.Classes).Select(label => (task.VirtualNode(label), label))))
        {
            var row = elements.Slice(node * task.Classes, task.Classes);
            row.Clear();
            row[label] = 1;
        }

        return rows.to(task.Features.dtype, copy: true);
    }

    /// <summary>The network of the spec.</summary>
    private sealed class Net(JobSpec job)
    {
        private readonly (int Count, int Width) _size = job.Model switch
        {
            ModelSpec.Gcn gcn => (gcn.Layers, gcn.Width),
            ModelSpec.Sage sage => (sage.Layers, sage.Width),
            ModelSpec.Gat gat => (gat.Layers, gat.Width),
            _ => throw new ArgumentException($"{job.Model.GetType().Name} is no graph network", nameof(job)),
        };

        public IReadOnlyList<GraphLayer> Layers(long inputs) =>
            [.. Enumerable.Range(0, _size.Count).Select(l => new GraphLayer(Encoder(isOutput: false), l == 0 ? inputs : _size.Width, _size.Width))];

        /// <summary>Each layer also sees the one above it, the last one so many <paramref name="outputs"/>.</summary>
        public IReadOnlyList<GraphLayer> LayersWithAbove(long inputs, long outputs) =>
            [.. Layers(inputs).Select((layer, l) => layer with { Inputs = layer.Inputs + (l == _size.Count - 1 ? outputs : _size.Width) })];

        /// <summary>The last layer gives the classes.</summary>
        public IReadOnlyList<GraphLayer> LayersWithOutput(long inputs, long outputs) =>
            [.. Layers(inputs).Select((layer, l) => l == _size.Count - 1 ? new GraphLayer(Encoder(isOutput: true), layer.Inputs, outputs) : layer)];

        /// <summary>Attention has one head where it gives classes, whose number heads need not divide.</summary>
        private IGraphEncoder Encoder(bool isOutput) => job.Model is ModelSpec.Gat gat
            ? new AttentionEncoder(isOutput ? 1 : gat.Heads, job.Threads)
            : new ConvolutionEncoder(job.Model is ModelSpec.Sage, job.Threads);
    }
}
