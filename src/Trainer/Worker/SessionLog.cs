using Cluster.Trainer.Core;
using System.Collections.Immutable;
using Cluster.Contracts.Jobs;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Rounds;

namespace Cluster.Trainer.Worker;

/// <summary>
/// What a session has done, written by the training thread and read by the agent's. Samples and notices stay until the
/// control plane has acknowledged them, within a bound: while it is away, training goes on, and beyond the bound only every
/// second, fourth, eighth ... round is kept, and the newest, so that a long gap is thinned evenly and not cut off.
/// </summary>
internal sealed class SessionLog(Assignment assignment, TimeProvider time)
{
    private const int MaxKept = 2_000;

    private readonly Lock _lock = new();
    private readonly long _began = time.GetTimestamp();
    private readonly List<(long Number, RoundSample Sample)> _samples = [];
    private readonly List<string> _notices = [];
    private long _keepEvery = 1; // Of the rounds; a power of two.
    private long _lastNumber;
    private (long Sample, int Notices) _inFlight;
    private long _round;
    private long _rounds;
    private long _leaves;
    private string? _checkpoint;
    private Outcome? _outcome;
    private TaskCompletionSource _urgent = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when there is something that should not wait for the next heartbeat.</summary>
    public Task Urgent
    {
        get { lock (_lock) { return _urgent.Task; } }
    }

    public long Rounds
    {
        set { lock (_lock) { _rounds = value; } }
    }

    public string Checkpoint
    {
        set { lock (_lock) { _checkpoint = value; } }
    }

    public void Began(RoundCounters counters)
    {
        lock (_lock) { _round = counters.Round; }
    }

    public void LeavesComputed(int count)
    {
        lock (_lock) { _leaves += count; }
    }

    public void Committed(RoundCounters counters, in Tally tally, RoundResult result)
    {
        var values = ImmutableDictionary.CreateBuilder<string, double>();
        if (result.Skipped is null)
        {
            values["loss"] = tally.MeanLoss;
            values["accuracy"] = tally.Accuracy;
            values["lr"] = result.LearningRate;
            values["gradientNorm"] = result.GradientNorm;
        }
        else
        {
            Notice($"round {counters.Round} was skipped: {result.Skipped}");
        }

        Add(counters, values.ToImmutable());
    }

    public void Evaluated(RoundCounters counters, in Tally tally) => Add(
        counters,
        ImmutableDictionary<string, double>.Empty.Add("evalLoss", tally.MeanLoss).Add("evalAccuracy", tally.Accuracy));

    public void Notice(string text)
    {
        lock (_lock)
        {
            if (_notices.Count < MaxKept) { _notices.Add(text); }
        }
    }

    public void End(Outcome outcome)
    {
        lock (_lock)
        {
            _outcome = outcome;
            _urgent.TrySetResult();
        }
    }

    /// <summary>All that is not acknowledged yet. One report is under way at a time.</summary>
    public JobReport Report()
    {
        lock (_lock)
        {
            _inFlight = (_lastNumber, _notices.Count);
            return new JobReport(
                assignment.JobId, assignment.Generation, assignment.Rank, _round, _rounds, _leaves,
                [.. _samples.Select(numbered => numbered.Sample)], _checkpoint, [.. _notices], _outcome);
        }
    }

    /// <summary>The control plane has the report under way.</summary>
    public void Acknowledge(JobReport report)
    {
        lock (_lock)
        {
            _samples.RemoveAll(numbered => numbered.Number <= _inFlight.Sample);
            _notices.RemoveRange(0, _inFlight.Notices);
            _keepEvery = 1;
            if (report.Outcome is not null) { _urgent = new(TaskCreationOptions.RunContinuationsAsynchronously); }
        }
    }

    private void Add(RoundCounters counters, ImmutableDictionary<string, double> values)
    {
        lock (_lock)
        {
            _round = counters.Round;
            if (assignment.Rank != 0) { return; }

            var seconds = time.GetElapsedTime(_began).TotalSeconds;
            _samples.Add((++_lastNumber, new RoundSample(counters.Round, seconds, counters.SamplesSeen, counters.Skipped, values)));
            if (_samples.Count > MaxKept) { _keepEvery *= 2; }
            if (_keepEvery > 1) { Thin(); }
        }
    }

    /// <summary>By round, not by place in the list: a round and the evaluation after it stay or go together.</summary>
    private void Thin() => _samples.RemoveAll(numbered => numbered.Sample.Round % _keepEvery != 0 && numbered.Sample.Round != _round);
}
