using System.Collections.Immutable;
using Cluster.Trainer.Core.Native;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Graphs;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>
/// Classes of nodes by their products with the virtual nodes (ForwardGNN Eq. 6), on the graph in which the training nodes are joined to
/// theirs.
/// </summary>
internal sealed class NodeEmbeddings : IEmbeddingTask
{
    /// <summary>So that a class that no layer believes in at all costs much and not everything.</summary>
    private const double Smallest = 1e-30;

    private readonly NodeTask _task;
    private readonly double _temperature;
    private readonly int[] _virtual;
    private readonly Tensor _labels; // Of the training nodes, [n].

    public NodeEmbeddings(NodeTask task, double temperature)
    {
        (_task, _temperature) = (task, temperature);
        _virtual = [.. Enumerable.Range(0, task.Classes).Select(task.VirtualNode)];
        Messages = task.Joined(task.Training());
        using var scope = NewDisposeScope();
        _labels = task.LabelsOf(task.Split.Train).DetachFromDisposeScope();
        Features = task.WithVirtual().DetachFromDisposeScope();
    }

    public NodeTask Nodes => _task;

    public long Inputs => _task.Inputs;

    public int Samples => _task.Split.Train.Length;

    public Adjacency Messages { get; }

    public Adjacency TestMessages => Messages;

    public Tensor Features { get; }

    public long ValidationTotal => _task.Split.Validation.Length;

    public IReadOnlyList<int> NodesOf(int first, int count) => [.. _task.Split.Train.AsSpan(first, count), .. _virtual];

    public IReadOnlyList<int> NodesOf(Examination part) => [.. Asked(part), .. _virtual];

    public (GraphTally Tally, Tensor ByH) Learn(Tensor h, int first, int count)
    {
        var (losses, byNodes, byVirtual, right) = VirtualNodeLoss.Of(h.narrow(0, 0, count), h.narrow(0, count, _virtual.Length), _labels.narrow(0, first, count), _temperature);
        return (new GraphTally(losses.Total(), right.Total()), cat([byNodes, byVirtual]));
    }

    public Tensor Scores(Tensor h, Examination part)
    {
        var asked = h.shape[0] - _virtual.Length;
        return VirtualNodeLoss.LogProbabilities(h.narrow(0, 0, asked), h.narrow(0, asked, _virtual.Length), _temperature).exp();
    }

    public long Right(Tensor scores) => (long)scores.argmax(1).eq(_task.LabelsOf(_task.Split.Validation)).Total();

    public Tally Judge(Tensor scores) => Tally(scores.AtLeast(Smallest).log(), _task.LabelsOf(_task.Split.Test));

    /// <param name="log">Logarithms of the classes' probabilities, [n, K].</param>
    /// <param name="labels">[n].</param>
    public static Tally Tally(Tensor log, Tensor labels)
    {
        return new Tally(labels.shape[0], labels.shape[0], -log.gather(1, labels.unsqueeze(1)).Total(), log.argmax(1).eq(labels).Total(), Leaves: 1);
    }

    public void Dispose()
    {
        _labels.Dispose();
        Features.Dispose();
        _task.Dispose();
    }

    private ImmutableArray<int> Asked(Examination part) => part == Examination.Validation ? _task.Split.Validation : _task.Split.Test;
}
