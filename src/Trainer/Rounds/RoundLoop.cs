using Cluster.Contracts.Federation;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Collectives;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Methods;

namespace Cluster.Trainer.Rounds;

/// <summary>
/// Runs the rounds of a job on one rank, one generation after the other: each from the newest committed round to the end, to a
/// stop, to the change to another generation, or to a fault of the mesh.
/// </summary>
/// <remarks>
/// <code>
///   catch up:   every rank tells its committed round; the lowest rank that has the newest sends its state to those behind
///   each round: 1  evaluate     when it is due after the committed round
///               2  contribute   this rank's range of the round's leaves, folded into the nodes that cover it
///               3  header       all ranks exchange wishes and scalars, and come to the same decision; who was missing is recorded
///               4  reduce       the nodes of all ranks into the one canonical sum; of long vectors between hosts, while step 2 goes on
///               5  update       the same step on every rank; the round is committed
///   A round without leaves has steps 3 and 5 alone.
/// </code>
/// Where a job shares out its layers, steps 2 to 5 of a stretch of rounds are those of a <see cref="LayerPipeline"/>.
/// A rank's state changes only in step 5, so a fault before it loses nothing but that round. An evaluation that a fault or a
/// change of generation kept back is made up for at the beginning of the next one.
/// All calls are made on one training thread.
/// </remarks>
internal sealed class RoundLoop : IDisposable
{
    private readonly IRoundMethod _method;
    private readonly JobSpec _spec;
    private readonly IRoundObserver _observer;
    private readonly TimeProvider _time;
    private readonly long _piece;
    private readonly LeafAccumulator _accumulator;
    private readonly RoundCounters _counters;
    private string _lastSkip = "the loss or gradient is not finite";
    private bool _lastSkipWasTrouble;

    /// <param name="time">For deadlines; the system's by default.</param>
    /// <param name="piece">Of vectors that are reduced while they are computed, in floats; the same on all ranks.</param>
    public RoundLoop(IRoundMethod method, JobSpec spec, IRoundObserver observer, TimeProvider? time = null, long piece = ReduceAhead.PieceLength)
    {
        _method = method;
        _spec = spec;
        _observer = observer;
        _time = time ?? TimeProvider.System;
        _piece = piece;
        _accumulator = new LeafAccumulator(() => FlatBuffer.ForPeers(method.ContributionLength, Device)); // Read in place where ranks share memory.
        _counters = new RoundCounters(method.State.Counters);
    }

    /// <param name="mesh">Connected; of the generation to run.</param>
    /// <param name="wish">Asked before every round.</param>
    /// <param name="crew">Of the mesh's generation; by default one that nobody is missing from.</param>
    /// <exception cref="MeshFaultException">A peer was lost or sent what it should not; the state is that of the last committed round.</exception>
    public LoopEnd Run(Mesh mesh, Func<RoundWish> wish, IRoundCrew? crew = null)
    {
        using var sum = mesh.CreateSum(_method.ContributionLength, Device);
        StateTransfer.CatchUp(mesh, _method.State, _counters);
        crew ??= new PlainCrew(mesh.Size);
        var attendance = new Attendance(mesh, crew, _spec, _time);
        attendance.Begin(_counters.Round);
        _observer.Began(_counters);
        using var pipeline = _method is ILayerwiseMethod { SharesLayers: true } layers && mesh.Size > 1 ? new LayerPipeline(layers, mesh, NeedsWholeState, _time) : null;
        var byLayers = 0L; // The first round that may be computed with layers shared out.
        var agreed = default(RoundWish);
        while (true)
        {
            if (_counters.SkippedInARow >= _spec.NonFinite.MaxSkips) { return TooManySkips(); }
            if (IsEvaluationDue)
            {
                var laps = new Laps(_time);
                var (evaluations, trouble) = Evaluate(mesh, crew.Sites);
                if (trouble is not null) { return new LoopEnd.InTrouble($"the evaluation after round {_counters.Round} was broken off: {trouble}"); }
                _observer.Evaluated(_counters, evaluations, laps.Next());
            }

            if (_counters.Round == _method.Rounds) { return new LoopEnd.Finished(); }
            if (agreed.Stop) { return new LoopEnd.Stopped(); }

            if (pipeline is not null && _counters.Round >= byLayers)
            {
                var stretch = pipeline.Run(_counters.Round, wish);
                agreed = stretch.Agreed;
                byLayers = stretch.Broken + 1 ?? byLayers;
                Tell(stretch);
            }
            else
            {
                var laps = new Laps(_time);
                var plan = attendance.Plan(_counters.Round, _method.Leaves(_counters.Round));
                while (attendance.Waits(_counters.Round, plan))
                {
                    agreed = Agree(mesh, wish());
                    if (agreed.Generation > mesh.Generation) { return new LoopEnd.ChangedOver(agreed.Generation); }
                    if (agreed.Stop) { return new LoopEnd.Stopped(); }
                }

                var waited = laps.Next();
                (agreed, var tally, var result, var times) = RunRound(mesh, attendance, plan, _counters.Round, wish(), sum, laps);
                _observer.Committed(_counters, tally, result, times with { Wait = times.Wait + waited });
            }

            if (agreed.Generation > mesh.Generation) { return new LoopEnd.ChangedOver(agreed.Generation); }
        }
    }

    private void Tell(Stretch stretch)
    {
        foreach (var (tally, result) in stretch.Rounds)
        {
            _observer.LeavesComputed((int)tally.Leaves);
            _counters.Commit(tally, skipped: false);
            _observer.Committed(_counters, tally, result, stretch.Times);
        }
    }

    private LoopEnd TooManySkips()
    {
        var reason = $"{_counters.SkippedInARow} rounds in a row were skipped, the last ({_counters.Round}) because {_lastSkip}; nonFinite.maxSkips is {_spec.NonFinite.MaxSkips}";
        if (!_lastSkipWasTrouble) { return new LoopEnd.TooManySkips(reason); }
        _counters.Forgive();
        return new LoopEnd.InTrouble(reason);
    }

    private TorchSharp.torch.Device Device => _method.State.Buffers[0].Buffer.Tensor.device;

    private bool IsEvaluationDue => IsEvaluatedAfter(_counters.Round);

    private bool IsEvaluatedAfter(long round) => _method.IsEvaluatedAfter(round) || (round > 0 && _spec.Evaluate.EveryRounds > 0 && round % _spec.Evaluate.EveryRounds == 0);

    /// <summary>Whether something is done with the state after so many committed rounds.</summary>
    private bool NeedsWholeState(long round) =>
        round == _method.Rounds || IsEvaluatedAfter(round) || (_spec.Checkpoint.EveryRounds > 0 && round % _spec.Checkpoint.EveryRounds == 0);

    private (RoundWish Agreed, Tally Tally, RoundResult Result, RoundTimes Times) RunRound(
        Mesh mesh, Attendance attendance, RoundPlan plan, long round, RoundWish wish, FlatBuffer sum, Laps laps)
    {
        var (leaves, ranges) = (plan.Leaves, plan.Ranges);
        var mine = ranges[mesh.Rank];

        _accumulator.Begin(mine, leaves.Count);
        var late = new List<int>();
        using var ahead = leaves.Count > 0 && ReducesAhead(mesh) ? new ReduceAhead(mesh, round, ranges, sum, _piece) : null;
        for (var i = mine.First; i < mine.End; i++)
        {
            var into = _accumulator.Next();
            var tally = ahead is not null && i == mine.End - 1
                ? _method.Contribute(round, leaves[i], into, offset => ahead.Reach(_accumulator.AddTail(offset), offset))
                : _method.Contribute(round, leaves[i], into);
            if (tally.Leaves == 0 && leaves[i].HasDeadline && leaves[i].Absence == AbsenceKind.None) { late.Add(i); }
            _accumulator.Commit(tally);
        }

        _observer.LeavesComputed(mine.Count);
        var compute = laps.Next();
        ahead?.Finish(_accumulator.Nodes);
        var reduce = laps.Next();
        var (agreed, trouble, allLate, total) = Agree(mesh, round, ranges, wish, late, [.. _accumulator.Nodes.Select(node => node.Tally)]);
        attendance.Keep(round, plan, allLate);

        var wait = laps.Next();
        var isFinite = leaves.Count == 0 || double.IsFinite(total.Loss);
        if (leaves.Count > 0 && isFinite && ahead is null) { mesh.AllReduce(round, _accumulator.Nodes, ranges, sum); }
        reduce += laps.Next();
        var result = isFinite ? _method.Update(round, sum, total) : new RoundResult(double.NaN, double.NaN, trouble ?? "the loss is not finite");
        var times = new RoundTimes(compute, wait, reduce, laps.Next());

        if (result.Skipped is not null) { (_lastSkip, _lastSkipWasTrouble) = (result.Skipped, result.Skipped == trouble); }
        _counters.Commit(total, result.Skipped is not null);
        return (agreed, total, result, times);
    }

    /// <summary>The same answer on every rank. Ranks that share memory share the host's cores too: there the sum would only take the time of the leaves.</summary>
    private bool ReducesAhead(Mesh mesh) =>
        mesh.Size > 1 && !mesh.IsShared && _method.ContributesFromTheEnd && ReduceAhead.IsWorthIt(_method.ContributionLength, _piece);

    /// <summary>Between rounds: wishes alone.</summary>
    private RoundWish Agree(Mesh mesh, RoundWish wish) => mesh.Gather(_counters.Round, RoundHeader.Write(wish, [], []))
        .Select(header => RoundHeader.Read(header).Wish)
        .Aggregate((a, b) => a | b);

    /// <summary>Exchanges headers and folds all ranks' scalars over the same tree as the vectors. Of several troubles that of the lowest leaves counts.</summary>
    private (RoundWish Agreed, string? Trouble, int[] Late, Tally Total) Agree(
        Mesh mesh, long round, LeafRanges ranges, RoundWish wish, IReadOnlyList<int> late, IReadOnlyList<Tally> mine)
    {
        var headers = mesh.Gather(round, RoundHeader.Write(wish, late, mine, _method.TakeTrouble()));
        var agreed = default(RoundWish);
        string? trouble = null;
        var allLate = new List<int>();
        var fold = new CanonicalFold<Tally>(ranges.LeafCount, (_, left, right) => left + right);
        foreach (var rank in ranges.Order)
        {
            var nodes = ranges.Nodes(rank);
            var (wished, itsTrouble, lateThere, tallies) = RoundHeader.Read(headers[rank]);
            if (tallies.Length != nodes.Count)
            {
                throw new MeshFaultException(new MeshFault(FaultKind.Corrupt, rank, $"{tallies.Length} tallies for {nodes.Count} nodes in round {round}"));
            }

            agreed |= wished;
            trouble ??= itsTrouble;
            allLate.AddRange(lateThere);
            for (var i = 0; i < nodes.Count; i++) { fold.Push(nodes[i], tallies[i]); }
        }

        return (agreed, trouble, [.. allLate], ranges.LeafCount == 0 ? default : fold.Total);
    }

    private (IReadOnlyList<Evaluation> Evaluations, string? Trouble) Evaluate(Mesh mesh, IReadOnlyList<string?> sites)
    {
        var evaluations = new List<Evaluation>();
        foreach (var set in _method.EvaluationSets)
        {
            var (evaluation, trouble) = EvaluationRound.Run(_method, set, mesh, _counters.Round, sites);
            if (trouble is not null) { return (evaluations, trouble); }
            evaluations.Add(evaluation);
        }

        return (evaluations, null);
    }

    public void Dispose() => _accumulator.Dispose();
}
