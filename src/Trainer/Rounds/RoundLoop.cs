using Cluster.Trainer.Core;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Collectives;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Methods;

namespace Cluster.Trainer.Rounds;

/// <summary>
/// Runs one generation of a job on one rank, from the newest committed round to the end, to a stop, or to a fault of the mesh.
/// </summary>
/// <remarks>
/// <code>
///   catch up:   every rank tells its committed round; the lowest rank that has the newest sends its state to those behind
///   each round: 1  contribute   this rank's range of the round's leaves, folded into the nodes that cover it
///               2  header       all ranks exchange stop wishes and scalars, and come to the same decision
///               3  reduce       the nodes of all ranks into the one canonical sum
///               4  update       the same step on every rank; the round is committed
///               5  report       to the observer; evaluation when it is due
/// </code>
/// A rank's state changes only in step 4, so a fault before it loses nothing but that round.
/// All calls are made on the training thread that calls <see cref="Run"/>.
/// </remarks>
internal sealed class RoundLoop : IDisposable
{
    private readonly IRoundMethod _method;
    private readonly Mesh _mesh;
    private readonly JobSpec _spec;
    private readonly IRoundObserver _observer;
    private readonly LeafAccumulator _accumulator;
    private readonly FlatBuffer _sum;
    private readonly RoundCounters _counters;

    public RoundLoop(IRoundMethod method, Mesh mesh, JobSpec spec, IRoundObserver observer)
    {
        _method = method;
        _mesh = mesh;
        _spec = spec;
        _observer = observer;
        var device = method.State.Buffers[0].Buffer.Tensor.device;
        _accumulator = new LeafAccumulator(() => new FlatBuffer(method.ContributionLength, device));
        _sum = new FlatBuffer(method.ContributionLength, device);
        _counters = new RoundCounters(method.State.Counters);
    }

    /// <param name="stopWished">Asked before every round; one rank's wish stops all ranks after the same round.</param>
    /// <exception cref="MeshFaultException">A peer was lost or sent what it should not; the state is that of the last committed round.</exception>
    public LoopEnd Run(Func<bool> stopWished)
    {
        StateTransfer.CatchUp(_mesh, _method.State, _counters);
        _observer.Began(_counters);
        if (_counters.Round == _method.Rounds)
        {
            // The generation before was lost in the last evaluation, or a finished job is resumed.
            _observer.Evaluated(_counters, Evaluate());
        }

        while (_counters.Round < _method.Rounds)
        {
            var (stop, tally, result) = RunRound(_counters.Round, stopWished());
            _observer.Committed(_counters, tally, result);

            if (result.Skipped is not null && _counters.SkippedInARow >= _spec.NonFinite.MaxSkips)
            {
                return new LoopEnd.TooManySkips(
                    $"{_counters.SkippedInARow} rounds in a row were skipped, the last ({_counters.Round}) because {result.Skipped}; nonFinite.maxSkips is {_spec.NonFinite.MaxSkips}");
            }

            var done = _counters.Round == _method.Rounds;
            if (done || (_spec.Evaluate.EveryRounds > 0 && _counters.Round % _spec.Evaluate.EveryRounds == 0))
            {
                _observer.Evaluated(_counters, Evaluate());
            }

            if (stop && !done) { return new LoopEnd.Stopped(); }
        }

        return new LoopEnd.Finished();
    }

    private (bool Stop, Tally Tally, RoundResult Result) RunRound(long round, bool stopWished)
    {
        var leaves = _method.Leaves(round);
        var ranges = new LeafRanges(leaves.Count, _mesh.Size);
        var mine = ranges[_mesh.Rank];

        _accumulator.Begin(mine, leaves.Count);
        for (var i = mine.First; i < mine.End; i++)
        {
            _accumulator.Commit(_method.Contribute(round, leaves[i], _accumulator.Next()));
        }

        _observer.LeavesComputed(mine.Count);
        var (stop, total) = Agree(round, ranges, stopWished, [.. _accumulator.Nodes.Select(node => node.Tally)]);

        var result = !double.IsFinite(total.Loss) ? new RoundResult(double.NaN, double.NaN, "the loss is not finite")
            : total.Weight == 0 ? new RoundResult(double.NaN, double.NaN, "no sample of the round has anything to predict")
            : Reduce(round, ranges, total);

        _counters.Commit(total, result.Skipped is not null);
        return (stop, total, result);
    }

    private RoundResult Reduce(long round, LeafRanges ranges, in Tally total)
    {
        _mesh.AllReduce(round, _accumulator.Nodes, ranges, _sum);
        return _method.Update(round, _sum, total);
    }

    /// <summary>Exchanges headers and folds all ranks' scalars over the same tree as the vectors.</summary>
    private (bool Stop, Tally Total) Agree(long round, LeafRanges ranges, bool stopWished, IReadOnlyList<Tally> mine)
    {
        var headers = _mesh.Gather(round, RoundHeader.Write(stopWished, mine));
        var stop = false;
        var fold = new CanonicalFold<Tally>(ranges.LeafCount, (_, left, right) => left + right);
        for (var rank = 0; rank < headers.Length; rank++)
        {
            var nodes = ranges.Nodes(rank);
            var (wished, tallies) = RoundHeader.Read(headers[rank]);
            if (tallies.Length != nodes.Count)
            {
                throw new MeshFaultException(new MeshFault(FaultKind.Corrupt, rank, $"{tallies.Length} tallies for {nodes.Count} nodes in round {round}"));
            }

            stop |= wished;
            for (var i = 0; i < nodes.Count; i++) { fold.Push(nodes[i], tallies[i]); }
        }

        return (stop, fold.Total);
    }

    /// <summary>The evaluation is a round of scalars alone.</summary>
    private Tally Evaluate()
    {
        var leaves = _method.EvaluationLeaves;
        var ranges = new LeafRanges(leaves.Count, _mesh.Size);
        var mine = ranges[_mesh.Rank];
        var fold = new CanonicalFold<Tally>(leaves.Count, (_, left, right) => left + right);
        for (var i = mine.First; i < mine.End; i++) { fold.Push(new Node(i, 1), _method.Evaluate(leaves[i])); }
        return Agree(_counters.Round, ranges, stopWished: false, [.. fold.Nodes.Select(node => node.Value)]).Total;
    }

    public void Dispose()
    {
        _accumulator.Dispose();
        _sum.Dispose();
    }
}
