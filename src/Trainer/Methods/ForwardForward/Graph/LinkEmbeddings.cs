using Cluster.Trainer.Core.Native;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Graphs;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>
/// Whether pairs of nodes are joined (ForwardGNN Eq. 9). Messages go over the training edges, in the test over those of the validation
/// too. There are no virtual nodes.
/// </summary>
internal sealed class LinkEmbeddings : IEmbeddingTask
{
    /// <summary>So that a pair that no layer believes in at all costs much and not everything.</summary>
    private const double Smallest = 1e-30;

    private readonly PairLoss _loss;
    private readonly LinkSplit _split;
    private readonly Dictionary<(int First, int Count), (PairRows Joined, PairRows Apart)> _learned = [];

    /// <param name="features">X, [N, F]; taken over.</param>
    public LinkEmbeddings(int nodes, Tensor features, LinkSplit split, PairLoss loss)
    {
        (_split, _loss, Features) = (split, loss, features);
        Messages = Adjacency.Undirected(nodes, split.Train.Joined);
        TestMessages = Adjacency.Undirected(nodes, split.Train.Joined.Concat(split.Validation.Joined));
    }

    public long Inputs => Features.shape[1];

    /// <summary>Joined pairs; each has one beside it that is not.</summary>
    public int Samples => _split.Train.Joined.Length;

    public Adjacency Messages { get; }

    public Adjacency TestMessages { get; }

    public Tensor Features { get; }

    public long ValidationTotal => 2L * _split.Validation.Joined.Length * _split.Validation.Apart.Length;

    public IReadOnlyList<int>? NodesOf(int first, int count) => null;

    public IReadOnlyList<int>? NodesOf(Examination part) => null;

    public (GraphTally Tally, Tensor ByH) Learn(Tensor h, int first, int count)
    {
        if (!_learned.TryGetValue((first, count), out var pairs))
        {
            pairs = (new PairRows(_split.Train.Joined.AsSpan(first, count), Nodes), new PairRows(_split.Train.Apart.AsSpan(first, count), Nodes));
            _learned[(first, count)] = pairs;
        }

        var (joined, apart) = pairs;
        var (losses, positive, negative, right, goods, bads) = _loss.Learn(joined.Of(h), apart.Of(h));
        return (new GraphTally(losses.Total(), right.Total(), goods.Total(), bads.Total()), joined.Back(positive).Plus(apart.Back(negative)));
    }

    /// <summary>Of the joined pairs, then of the others. [2n].</summary>
    public Tensor Scores(Tensor h, Examination part)
    {
        var pairs = Of(part);
        using var rows = new PairRows([.. pairs.Joined, .. pairs.Apart], Nodes);
        var (from, to) = rows.Of(h);
        return _loss.Probabilities(from, to);
    }

    public long Right(Tensor scores) => TwiceRight(scores, _split.Validation);

    /// <summary>Its accuracy is the area under the ROC curve; its loss the cross entropy of the pairs.</summary>
    public Tally Judge(Tensor scores)
    {
        var (right, n) = (TwiceRight(scores, _split.Test), (double)_split.Test.Joined.Length);
        var p = scores.to(ScalarType.Float64).data<double>().Select((one, i) => i < n ? one : 1 - one);
        return new Tally(2 * n, n * n, -p.Average(one => Math.Log(Math.Max(one, Smallest))) * n * n, right / 2.0, Leaves: 1);
    }

    public void Dispose()
    {
        Features.Dispose();
        foreach (var (joined, apart) in _learned.Values)
        {
            joined.Dispose();
            apart.Dispose();
        }
    }

    private int Nodes => Messages.Nodes;

    private LinkPairs Of(Examination part) => part == Examination.Validation ? _split.Validation : _split.Test;

    private static long TwiceRight(Tensor scores, LinkPairs pairs)
    {
        var all = scores.to(ScalarType.Float64).data<double>().ToArray();
        return RankOrder.TwiceRight(all.AsSpan(0, pairs.Joined.Length), all.AsSpan(pairs.Joined.Length));
    }
}
