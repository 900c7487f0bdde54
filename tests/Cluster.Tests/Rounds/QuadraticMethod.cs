using System.Collections.Immutable;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Methods;

namespace Cluster.Tests.Rounds;

/// <summary>
/// ℓ(x, s) = ½ |x - a_s|² in five dimensions, by gradient descent with momentum: a method without a network, that turns bad where
/// a test wants it. Its numbers are no round ones, so another order of addition shows in the bits.
/// </summary>
internal sealed class QuadraticMethod : IRoundMethod
{
    /// <summary>Leaves and samples of a round.</summary>
    public const int LeafCount = 7, Samples = ((LeafCount - 1) * LeafSize) + LastLeaf;

    private const int Dimensions = 5, LeafSize = 3, LastLeaf = 2;

    private readonly FlatBuffer _theta;
    private readonly FlatBuffer _velocity;

    public QuadraticMethod(long rounds)
    {
        Rounds = rounds;
        var layout = new Layout([("x", [Dimensions], SegmentRole.Parameter)]);
        _theta = new FlatBuffer(layout.Length);
        _velocity = new FlatBuffer(layout.Length);
        State = new MethodState(layout, [("theta", _theta), ("velocity", _velocity)], new SortedDictionary<string, long>(StringComparer.Ordinal) { ["updates"] = 0 });
    }

    /// <summary>Whether the loss of a leaf, by round and index, is not a number.</summary>
    public Func<long, int, bool> LossIsNaN { get; init; } = (_, _) => false;

    /// <summary>Whether one element of a leaf's gradient is not a number, though its loss is.</summary>
    public Func<long, int, bool> GradientIsNaN { get; init; } = (_, _) => false;

    /// <summary>Whether a round has leaves.</summary>
    public Func<long, bool> HasLeaves { get; init; } = _ => true;

    /// <summary>Called with the round before each leaf.</summary>
    public Action<long> OnContribute { get; set; } = _ => { };

    public long Rounds { get; set; }

    public long ContributionLength => State.Layout.Length;

    public IReadOnlyList<EvaluationSet> EvaluationSets { get; init; } = [new("", [.. Enumerable.Range(0, 11).Select(i => new Leaf(i, 1_000 + 4 * i, 4))])];

    public MethodState State { get; }

    public int Updates { get; private set; }

    public float[][] Buffers => [_theta.Span.ToArray(), _velocity.Span.ToArray()];

    public ImmutableSortedDictionary<string, long> Counters => State.Counters.ToImmutableSortedDictionary();

    public IReadOnlyList<Leaf> Leaves(long round)
    {
        const int batch = (LeafCount - 1) * LeafSize + LastLeaf;
        return !HasLeaves(round) ? [] : [.. Enumerable.Range(0, LeafCount).Select(i => new Leaf(i, round * batch + i * LeafSize, i == LeafCount - 1 ? LastLeaf : LeafSize))];
    }

    public Tally Contribute(long round, Leaf leaf, FlatBuffer into)
    {
        OnContribute(round);
        into.Clear();
        var loss = 0.0;
        for (var s = leaf.First; s < leaf.First + leaf.Count; s++)
        {
            for (var d = 0; d < Dimensions; d++)
            {
                var difference = _theta.Span[d] - Target(s, d);
                into.Span[d] += difference;
                loss += difference * difference / 2;
            }
        }

        if (GradientIsNaN(round, leaf.Index)) { into.Span[1] = float.NaN; }
        return new Tally(leaf.Count, leaf.Count, LossIsNaN(round, leaf.Index) ? double.NaN : loss, 0, Leaves: 1);
    }

    public RoundResult Update(long round, FlatBuffer sum, in Tally tally)
    {
        const float rate = 0.1f, momentum = 0.9f;
        Updates++;
        if (tally.Leaves == 0) { return new RoundResult(rate, GradientNorm: 0); }
        var norm = Math.Sqrt(sum.Span.ToArray().Sum(g => (double)g * g));
        if (!double.IsFinite(norm)) { return new RoundResult(rate, norm, "the gradient is not finite"); }

        State.Counters["updates"]++;
        for (var d = 0; d < Dimensions; d++)
        {
            _velocity.Span[d] = momentum * _velocity.Span[d] + sum.Span[d] / (float)tally.Weight;
            _theta.Span[d] -= rate * _velocity.Span[d];
        }

        return new RoundResult(rate, norm);
    }

    public Tally Evaluate(EvaluationSet set, Leaf leaf)
    {
        var loss = 0.0;
        for (var s = leaf.First; s < leaf.First + leaf.Count; s++) { loss += Math.Abs(_theta.Span[0] - Target(s, 0)) / 3; }
        return new Tally(leaf.Count, leaf.Count, loss, leaf.Index % 3, Leaves: 1);
    }

    public void Dispose()
    {
        _theta.Dispose();
        _velocity.Dispose();
    }

    /// <summary>a_s: in [1, 2), so that there is somewhere to go from 0.</summary>
    private static float Target(long sample, int dimension) =>
        1 + (Seeds.Derive(3, SeedPurpose.Shuffle, sample, dimension) >> 40) * (1f / (1 << 24));
}
