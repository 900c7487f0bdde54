using System.Collections.Immutable;
using Cluster.Contracts.Federation;
using Cluster.Contracts.Jobs;
using Cluster.Trainer.Core;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Rounds;

namespace Cluster.Trainer.Worker;

/// <summary>
/// What a session has done, written by the training thread and read by the agent's. Samples and notices stay until the
/// control plane has them, within a bound: while it is away, training goes on, and beyond the bound only every second, fourth,
/// eighth ... round is kept, and the newest, so that a long gap is thinned evenly and not cut off.
/// </summary>
/// <remarks>
/// Every rank keeps samples and rank 0 alone tells them, so that the next rank 0 knows what the last one could not tell.
/// </remarks>
/// <param name="session">Counts the sessions of this process, from 1.</param>
/// <param name="write">Takes each line that a person may want to read later.</param>
/// <param name="version">Of the submission that the session holds.</param>
internal sealed class SessionLog(string jobId, long session, TimeProvider time, Action<string> write, long version = 0)
{
    private const int MaxKept = 2_000;

    private readonly Lock _lock = new();
    private readonly long _began = time.GetTimestamp();
    private readonly List<RoundSample> _samples = [];
    private readonly List<string> _notices = [];
    private long _keepEvery = 1; // Of the rounds; a power of two.
    private int _noticesInFlight;
    private long _absorbedRound;
    private long _generation;
    private long _known;
    private int _rank = -1;
    private bool _isReady;
    private bool _hasCommitted = true; // A round of this generation.
    private long _round;
    private long _rounds;
    private long _leaves;
    private string? _checkpoint;
    private GenerationFault? _fault;
    private Outcome? _outcome;
    private TaskCompletionSource _urgent = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when there is something that should not wait for the next heartbeat.</summary>
    public Task Urgent
    {
        get { lock (_lock) { return _urgent.Task; } }
    }

    public string Checkpoint
    {
        set { lock (_lock) { _checkpoint = value; } }
    }

    /// <summary>The newest generation whose assignment this worker holds.</summary>
    public long Known
    {
        get { lock (_lock) { return _known; } }
        set { lock (_lock) { _known = value; } }
    }

    /// <summary>It can be a member of a generation.</summary>
    public void Ready(long rounds)
    {
        lock (_lock)
        {
            _isReady = true;
            _rounds = rounds;
            _urgent.TrySetResult();
        }

        write($"ready: {rounds} rounds");
    }

    /// <summary>A generation begins; how the one before ended is of no more interest.</summary>
    public void Begin(Assignment assignment)
    {
        lock (_lock)
        {
            (_generation, _rank, _fault, _outcome, _hasCommitted) = (assignment.Generation, assignment.Rank, null, null, false);
            _urgent.TrySetResult();
        }

        write($"generation {assignment.Generation}: rank {assignment.Rank} of {string.Join(", ", assignment.Members.Select(member => member.Id))}{(assignment.IsRecovery ? ", after a loss" : "")}");
    }

    public void Began(RoundCounters counters)
    {
        lock (_lock) { _round = counters.Round; }
        write($"goes on after round {counters.Round}");
    }

    public void LeavesComputed(int count)
    {
        lock (_lock) { _leaves += count; }
    }

    public void Committed(RoundCounters counters, in Tally tally, RoundResult result)
    {
        foreach (var notice in result.Notices) { Notice($"round {counters.Round}: {notice}"); }
        var values = ImmutableDictionary.CreateBuilder<string, double>();
        if (result.Skipped is null)
        {
            values.AddRange(result.Values);
            values["lr"] = result.LearningRate;
            if (tally.Weight > 0) // A round without leaves has learnt nothing.
            {
                values["loss"] = tally.MeanLoss;
                if (!double.IsNaN(tally.Accuracy)) { values["accuracy"] = tally.Accuracy; }
                values["gradientNorm"] = result.GradientNorm;
            }
        }
        else
        {
            Notice($"round {counters.Round} was skipped: {result.Skipped}");
        }

        Add(counters, isEvaluation: false, values.ToImmutable(), result.Clients);
        lock (_lock)
        {
            if (!_hasCommitted) { _urgent.TrySetResult(); } // That the generation works is news.
            _hasCommitted = true;
        }
    }

    /// <summary>
    /// Of several sets, each by its name (<c>evalLoss.english</c>), and the mean over them without one. A set that has values of its own is told
    /// by these. A model whose predictions cannot be right or wrong has no accuracy.
    /// </summary>
    public void Evaluated(RoundCounters counters, IReadOnlyList<Evaluation> evaluations)
    {
        var values = ImmutableDictionary.CreateBuilder<string, double>();
        Evaluation[] sets = [.. evaluations.Where(e => e.Values is null)];
        foreach (var (set, tally) in sets)
        {
            var of = set.Length > 0 ? $".{set}" : "";
            values[$"evalLoss{of}"] = tally.MeanLoss;
            if (!double.IsNaN(tally.Accuracy)) { values[$"evalAccuracy{of}"] = tally.Accuracy; }
            var accuracy = double.IsNaN(tally.Accuracy) ? "" : FormattableString.Invariant($", accuracy {tally.Accuracy:P2}");
            write(FormattableString.Invariant($"round {counters.Round}: evaluation{(set.Length > 0 ? $" on {set}:" : "")} loss {tally.MeanLoss:F4}{accuracy}"));
        }

        values["evalLoss"] = sets.Average(e => e.Tally.MeanLoss);
        if (sets.Average(e => e.Tally.Accuracy) is var mean and not double.NaN) { values["evalAccuracy"] = mean; }
        foreach (var evaluation in evaluations.Where(e => e.Values is not null))
        {
            values.AddRange(evaluation.Values!);
            var told = evaluation.Values!.OrderBy(value => value.Key, StringComparer.Ordinal).Select(value => FormattableString.Invariant($"{value.Key} {value.Value:G6}"));
            write($"round {counters.Round}: evaluation at the {evaluation.Set}: {string.Join(", ", told)}");
        }

        Add(counters, isEvaluation: true, values.ToImmutable());
    }

    public void Notice(string text)
    {
        lock (_lock)
        {
            if (_notices.Count < MaxKept) { _notices.Add(text); }
        }

        write(text);
    }

    /// <summary>The generation was lost to this worker.</summary>
    public void Lost(GenerationFault fault)
    {
        lock (_lock)
        {
            _fault = fault;
            _urgent.TrySetResult();
        }

        write($"generation lost: {fault.Reason}");
    }

    public void End(Outcome outcome)
    {
        lock (_lock)
        {
            _outcome = outcome;
            _urgent.TrySetResult();
        }

        write($"{outcome.State}{(outcome.Reason is null ? "" : $": {outcome.Reason}")}{(outcome.WeightsSha256 is null ? "" : $", weights {outcome.WeightsSha256}")}");
    }

    /// <summary>All that is not acknowledged yet. One report is under way at a time.</summary>
    public JobReport Report()
    {
        lock (_lock)
        {
            if (_urgent.Task.IsCompleted) { _urgent = new(TaskCreationOptions.RunContinuationsAsynchronously); }
            _noticesInFlight = _notices.Count;
            return new JobReport(
                jobId, _generation, _known, _isReady, _round, _rounds, _leaves,
                _rank == 0 ? [.. _samples.Where(sample => sample.Round > _absorbedRound)] : [],
                _rank == 0 ? _checkpoint : null, [.. _notices], _fault, _outcome, session, _absorbedRound, version);
        }
    }

    /// <summary>The control plane has the report under way.</summary>
    public void Acknowledge()
    {
        lock (_lock) { _notices.RemoveRange(0, _noticesInFlight); }
    }

    /// <summary>
    /// The control plane knows the samples up to one round, whoever told them, and has stored those up to another. After a crash
    /// it knows no more than it had stored, and is told again.
    /// </summary>
    public void Absorbed(long round, long stored)
    {
        lock (_lock)
        {
            _absorbedRound = round;
            _samples.RemoveAll(sample => sample.Round <= stored);
            if (_samples.Count < MaxKept / 2) { _keepEvery = 1; }
        }
    }

    /// <summary>The ranks change over to another generation: what was done in this one is told before it may be too late.</summary>
    public void ChangedOver()
    {
        lock (_lock) { _urgent.TrySetResult(); }
    }

    private void Add(RoundCounters counters, bool isEvaluation, ImmutableDictionary<string, double> values, ImmutableArray<ClientPart>? clients = null)
    {
        lock (_lock)
        {
            _round = counters.Round;
            var seconds = time.GetElapsedTime(_began).TotalSeconds;
            _samples.Add(new RoundSample(counters.Round, isEvaluation, seconds, counters.SamplesSeen, counters.Skipped, values) { Clients = clients });
            if (_samples.Count > MaxKept) { _keepEvery *= 2; }
            if (_keepEvery > 1) { Thin(); }
        }
    }

    /// <summary>By round, not by place in the list: a round and the evaluation after it stay or go together.</summary>
    private void Thin() => _samples.RemoveAll(sample => sample.Round % _keepEvery != 0 && sample.Round != _round);
}
