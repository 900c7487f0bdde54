using System.Collections.Immutable;
using Cluster.Trainer.Core;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Rounds;

namespace Cluster.Tests.Rounds;

/// <summary>Keeps all that a loop tells.</summary>
internal sealed class Recorder : IRoundObserver
{
    public long BeganAt { get; private set; } = -1;

    public int LeavesComputed { get; private set; }

    public List<(long Round, Tally Tally, string? Skipped)> Commits { get; } = [];

    /// <summary>What the rounds had to say beside, in the order of <see cref="Commits"/>.</summary>
    public List<IReadOnlyDictionary<string, double>> Values { get; } = [];

    public List<string> Notices { get; } = [];

    /// <summary>In the order of <see cref="Commits"/>.</summary>
    public List<RoundTimes> Times { get; } = [];

    public List<(long Round, Tally Tally)> Evaluations { get; } = [];

    /// <summary>Of the sets that have values of their own, in order.</summary>
    public List<ImmutableDictionary<string, double>> EvaluationValues { get; } = [];

    void IRoundObserver.Began(RoundCounters counters) => BeganAt = counters.Round;

    void IRoundObserver.LeavesComputed(int count) => LeavesComputed += count;

    void IRoundObserver.Committed(RoundCounters counters, in Tally tally, RoundResult result, in RoundTimes times)
    {
        Commits.Add((counters.Round, tally, result.Skipped));
        Values.Add(result.Values);
        Notices.AddRange(result.Notices);
        Times.Add(times);
    }

    void IRoundObserver.Evaluated(RoundCounters counters, IReadOnlyList<Evaluation> evaluations, TimeSpan took)
    {
        Evaluations.AddRange(evaluations.Select(evaluation => (counters.Round, evaluation.Tally)));
        EvaluationValues.AddRange(evaluations.Select(evaluation => evaluation.Values).OfType<ImmutableDictionary<string, double>>());
    }
}
