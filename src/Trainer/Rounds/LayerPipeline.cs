using System.Collections.Immutable;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Collectives;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Methods;

namespace Cluster.Trainer.Rounds;

/// <summary>
/// Rounds of a job whose layers are shared out: every rank owns a run of them and hands its activities up to the next rank.
/// </summary>
/// <remarks>
/// <code>
/// a stretch of rounds:   rank 0   leaf, leaf, ..., update | leaf, leaf, ..., update | ...          the lowest layers
///                                   \     \                 \                                      signals, upward
///                        rank 1        leaf, leaf, ..., update | leaf, ...                          the layers above
/// its end, the barrier:  all ranks tell how it went; every rank sends its layers' state to the others; all of it is committed at once
/// </code>
/// <para>A rank takes the leaves of a round with the weights before it, and updates its layers after the last one: the numbers are those of
/// one process. Upward goes one vector a leaf; downward nothing but credits.</para>
/// <para>At a barrier every rank has the whole state of the same round: for evaluations, checkpoints, newcomers and recovery. A rank that
/// is lost costs the rounds since the last barrier, at most <see cref="MaxRounds"/>.</para>
/// <para>A number that is not finite concerns all layers of its round, of which the lower ones may have gone on. Then the stretch is
/// dropped, and its rounds up to that one are computed with leaves shared out, where all ranks see it in time.</para>
/// <para>Which rank owns which layers begins with what the layers cost by arithmetic, and follows at barriers what they were measured to
/// take. That decides who computes, and nothing of what comes out.</para>
/// </remarks>
internal sealed class LayerPipeline : IDisposable
{
    /// <summary>Rounds between two barriers at most.</summary>
    public const int MaxRounds = 16;

    private readonly ILayerwiseMethod _method;
    private readonly Mesh _mesh;
    private readonly Func<long, bool> _isBarrier;
    private readonly TimeProvider _time;
    private SharedLayers _shared;
    private bool _isCurrent; // This rank's layers are those of the method's state.

    /// <param name="isBarrier">Whether all ranks must have the whole state after so many committed rounds.</param>
    public LayerPipeline(ILayerwiseMethod method, Mesh mesh, Func<long, bool> isBarrier, TimeProvider time)
    {
        (_method, _mesh, _isBarrier, _time) = (method, mesh, isBarrier, time);
        _shared = new SharedLayers(method, mesh, LayerSplit.Of(method.LayerCosts, mesh.Size));
    }

    private Chain Chain => _shared.Chain;

    private ILayerRun Mine => _shared.Mine;

    /// <summary>Computes rounds from a committed state to the next barrier, and commits them to the state, all at once.</summary>
    /// <param name="first">The round that is due.</param>
    /// <exception cref="MeshFaultException">The method's state is that of before.</exception>
    public Stretch Run(long first, Func<RoundWish> wish)
    {
        if (!_isCurrent) { StateParts.Copy(_method.State, Mine.State); }
        _isCurrent = false;
        var laps = new Laps(_time);
        var (mine, busy) = Climb(first, wish);
        var reports = _mesh.Gather(first, mine.Write()).Select(StretchReport.Read).ToArray();
        var agreed = reports.Aggregate(default(RoundWish), (all, report) => all | report.Wish);
        if (reports.Min(report => report.Broken) is { } broken) { return new Stretch(agreed, [], broken, default); }

        var climbed = laps.Next();
        Commit(first);
        var rounds = mine.Rounds.Count;
        var times = new RoundTimes(busy / rounds, (climbed - busy) / rounds, laps.Next() / rounds, TimeSpan.Zero);
        Rebalance([.. reports.Select(report => report.Busy)]);
        return new Stretch(agreed, [.. Enumerable.Range(0, mine.Rounds.Count).Select(i => LayersOfRound.Join([.. reports.Select(report => report.Rounds[i])]))], null, times);
    }

    /// <summary>All ranks have the same times, and decide the same.</summary>
    private void Rebalance(ImmutableArray<long> times)
    {
        var split = LayerSplit.Rebalanced(_method.LayerCosts, _shared.Layers, times);
        if (split.SequenceEqual(_shared.Layers)) { return; }

        _shared.Dispose();
        _shared = new SharedLayers(_method, _mesh, split);
        _isCurrent = false;
    }

    private (StretchReport Report, TimeSpan Busy) Climb(long first, Func<RoundWish> wish)
    {
        var (rounds, times) = (new List<LayersOfRound>(), new List<long>());
        var wished = wish();
        long? broken = null;
        Chain.Begin(first);
        for (var round = first; ; round++)
        {
            var (tally, result, busy) = RunRound(round);
            times.Add(busy.Ticks);
            if (result.Skipped is not null || !double.IsFinite(tally.Loss)) { broken ??= round; }
            if (broken is null) { rounds.Add(Told(tally, result)); }

            Chain.WishesEnd |= wished.Stop || wished.Generation > _mesh.Generation || broken is not null;
            if (Chain.EndRound(isLast: Chain.WishesEnd || round + 1 - first == MaxRounds || _isBarrier(round + 1))) { break; }
            wished |= wish();
        }

        Chain.Finish();
        return Chain.BytesDown == 0
            ? (new StretchReport(wished, broken, broken is null ? rounds : [], times.Order().ElementAt(times.Count / 2)), TimeSpan.FromTicks(times.Sum()))
            : throw new InvalidOperationException($"{Chain.BytesDown} bytes beside credits were sent down");
    }

    private (Tally Tally, RoundResult Result, TimeSpan Busy) RunRound(long round)
    {
        var leaves = _method.Leaves(round);
        var busy = TimeSpan.Zero;
        _shared.Accumulator.Begin(new Node(0, leaves.Count), leaves.Count);
        foreach (var leaf in leaves)
        {
            var above = Chain.IsLast ? null : Chain.Next();
            var below = Chain.IsFirst ? null : Chain.Take();
            var start = _time.GetTimestamp();
            var tally = Mine.Contribute(round, leaf, below, above, _shared.Accumulator.Next());
            busy += _time.GetElapsedTime(start);
            if (below is not null) { Chain.Release(); }
            if (above is not null) { Chain.HandOn(Mine.SignalAbove(leaf.Count)); }
            _shared.Accumulator.Commit(tally);
        }

        var (_, sum, total) = _shared.Accumulator.Nodes[0];
        var update = _time.GetTimestamp();
        var result = Mine.Update(round, sum, total);
        return (total, result, busy + _time.GetElapsedTime(update));
    }

    private LayersOfRound Told(in Tally tally, RoundResult result)
    {
        var values = result.Values;
        if (!Chain.IsLast)
        {
            var top = $"layer{_shared.Layers[_mesh.Rank].End}"; // 0 for a rank that has no layer and makes the samples ready.
            values = values.SetItem($"{top}.queue", Chain.Waiting).SetItem($"{top}.bytesUp", Chain.BytesUp);
        }

        return new(tally.Samples, tally.Weight, tally.Loss, tally.Correct, tally.Leaves, result.LearningRate, result.GradientNorm, values);
    }

    /// <summary>Every rank's layers to every other; the method's state changes once all have come.</summary>
    private void Commit(long first)
    {
        for (var rank = 0; rank < _shared.Runs.Length; rank++)
        {
            if (_shared.Layers[rank].Count == 0) { continue; }
            foreach (var (_, buffer) in _shared.Runs[rank].State.Buffers) { _mesh.Broadcast(first, rank, buffer); }
        }

        foreach (var run in _shared.Runs)
        {
            foreach (var name in run.State.Counters.Keys.ToArray()) { run.State.Counters[name] = Mine.State.Counters[name]; }
            StateParts.Copy(run.State, _method.State);
        }

        _isCurrent = true;
    }

    public void Dispose() => _shared.Dispose();
}

/// <summary>How a stretch ended; the same on all ranks.</summary>
/// <param name="Rounds">Committed, in order.</param>
/// <param name="Broken">A round with a number that is not finite: nothing was committed, and the rounds up to this one are to be computed with leaves shared out.</param>
/// <param name="Times">This rank's, of a round on the average; nothing after a broken one.</param>
internal sealed record Stretch(RoundWish Agreed, IReadOnlyList<(Tally Tally, RoundResult Result)> Rounds, long? Broken, RoundTimes Times);
