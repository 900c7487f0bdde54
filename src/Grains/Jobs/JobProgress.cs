using System.Collections.Immutable;
using Cluster.Contracts.Jobs;

namespace Cluster.Grains.Jobs;

/// <summary>
/// How far a job has come, as its workers last said, and what happened to it. Bounded; nothing here decides anything. It is
/// stored now and then and not with every heartbeat: workers keep what is not stored yet (<see cref="AbsorbedRound"/>).
/// </summary>
internal sealed class JobProgress(JobProgressState stored)
{
    public const int MaxSamplesPerView = 500;
    public const int MaxEvents = 200;

    /// <summary>Samples that are stored with who took part: what lies farther back has its numbers alone.</summary>
    public const int MaxStoredParts = 200;

    /// <summary>More lives of processes than a job has in a bad week.</summary>
    private const int MaxWorkers = 4096;

    /// <summary>Newest values are kept for so many names over the life of a job.</summary>
    private const int MaxMetrics = 1024;

    private readonly Queue<RoundSample> _samples = new(stored.Samples);
    private readonly Queue<string> _notices = new(stored.Notices);
    private readonly Queue<JobEvent> _events = new(stored.Events);
    private readonly Dictionary<string, double> _metrics = new(stored.Metrics);
    private readonly MetricHistory _history = new(stored.History);
    private readonly List<WorkerProgress> _workers = [.. stored.Workers];
    private readonly Dictionary<(string Id, int ProcessId, Guid Life), int> _indexes =
        stored.Workers.Select((worker, index) => (worker, index)).ToDictionary(w => w.worker.Process, w => w.index);
    private RoundSample? _newest = stored.Samples.LastOrDefault();
    private RoundSample? _firstOfTeller = stored.FirstOfTeller;
    private string? _teller = stored.Teller;
    private long _newestNumber = stored.NewestNumber;

    /// <summary>Rises with every change.</summary>
    public long Version { get; private set; }

    /// <summary>Rounds committed: all ranks commit the same ones, so the most that any of them said.</summary>
    public long Round { get; private set; } = stored.Round;

    public long Rounds { get; private set; } = stored.Rounds;

    public string? Checkpoint { get; private set; } = stored.Checkpoint;

    /// <summary>Samples up to this round are all here. An evaluation may follow a round's own sample.</summary>
    public long AbsorbedRound => _newest is { } newest ? newest.IsEvaluation ? newest.Round : newest.Round - 1 : 0;

    public long SamplesSeen => _newest?.SamplesSeen ?? 0;

    public long SkippedRounds => _newest?.Skipped ?? 0;

    public ImmutableDictionary<string, double> Metrics => _metrics.ToImmutableDictionary();

    public ImmutableArray<string> Notices => [.. _notices];

    public ImmutableArray<JobEvent> Events => [.. _events];

    /// <summary>Every process that has computed for the job, in the order in which they came.</summary>
    public IReadOnlyList<WorkerProgress> Workers => _workers;

    /// <summary>Seconds are of one worker's clock, so it is taken over what the newest teller told.</summary>
    public double SamplesPerSecond => _newest is { } newest && _firstOfTeller is { } first && newest.Seconds > first.Seconds
        ? (newest.SamplesSeen - first.SamplesSeen) / (newest.Seconds - first.Seconds)
        : 0;

    /// <summary>Whether it has computed for the job.</summary>
    public bool Knows(WorkerInfo worker) => _indexes.ContainsKey(WorkerProgress.ProcessOf(worker));

    /// <summary>What one process has done.</summary>
    public WorkerProgress Of(WorkerInfo worker) => _indexes.TryGetValue(WorkerProgress.ProcessOf(worker), out var index)
        ? _workers[index]
        : new(worker.Id, worker.ProcessId, LeavesComputed: 0, Round: 0, Session: 0, LeavesBefore: 0, worker.Life);

    /// <summary>After a crash this may know less than the worker was told. It says so in the answer, and is told again.</summary>
    public bool IsBehind(JobReport report) => report.SamplesAfter > AbsorbedRound;

    /// <summary>
    /// Takes in a report of one of the job's workers, cut to size. Counts never go back, whatever order reports come in: a job
    /// that goes on from a checkpoint comes through rounds again that are known already.
    /// </summary>
    public void Absorb(WorkerInfo worker, JobReport report)
    {
        Note(worker, report);
        Round = Larger(Round, report.Round);
        Rounds = Larger(Rounds, report.Rounds);
        foreach (var notice in report.Notices.Where(n => !_notices.Contains(n)))
        {
            Push(_notices, notice, ReportBounds.MaxNotices);
        }

        if (report.Checkpoint is { } checkpoint && checkpoint != Checkpoint)
        {
            Checkpoint = checkpoint;
            Version++;
        }

        foreach (var sample in IsBehind(report) ? [] : report.Samples)
        {
            Add(worker.Id, sample);
        }
    }

    public void Happened(JobEvent what) => Push(_events, what, MaxEvents);

    /// <summary>Samples with a number above <paramref name="after"/>, oldest first, and the number of the last of them.</summary>
    public (ImmutableArray<RoundSample> Samples, long Last) SamplesAfter(long after)
    {
        var oldestNumber = _newestNumber - _samples.Count + 1;
        var skip = Math.Clamp(after - oldestNumber + 1, 0, _samples.Count);
        ImmutableArray<RoundSample> taken = [.. _samples.Skip((int)skip).Take(MaxSamplesPerView)];
        return (taken, taken.IsEmpty ? Math.Min(after, _newestNumber) : oldestNumber + skip + taken.Length - 1);
    }

    /// <summary>The curves from the job's beginning.</summary>
    public MetricsView History() => _history.View(_newestNumber);

    public JobProgressState ToState() => new()
    {
        Round = Round,
        Rounds = Rounds,
        Checkpoint = Checkpoint,
        Samples = [.. _samples.Select((sample, index) => index >= _samples.Count - MaxStoredParts ? sample : sample with { Clients = null })],
        NewestNumber = _newestNumber,
        Teller = _teller,
        FirstOfTeller = _firstOfTeller,
        Metrics = Metrics,
        Notices = Notices,
        Events = Events,
        Workers = [.. _workers],
        History = _history.ToState(),
    };

    private void Note(WorkerInfo worker, JobReport report)
    {
        var known = Of(worker);
        if (report.Session < known.Session)
        {
            return; // Late: the process has left the job since, and come back.
        }

        var before = report.Session == known.Session ? known.LeavesBefore : known.LeavesComputed;
        var now = known with
        {
            LeavesComputed = Math.Max(known.LeavesComputed, before + report.LeavesComputed),
            Round = Math.Max(known.Round, report.Round),
            Session = report.Session,
            LeavesBefore = before,
        };
        if (now == known)
        {
            return;
        }

        Version++;
        if (_indexes.TryGetValue(WorkerProgress.ProcessOf(worker), out var index))
        {
            _workers[index] = now;
        }
        else if (_workers.Count < MaxWorkers)
        {
            _indexes.Add(now.Process, _workers.Count);
            _workers.Add(now);
        }
    }

    /// <summary>Any rank may become the one that tells, and tells again what it has not heard to be known.</summary>
    private void Add(string teller, RoundSample sample)
    {
        if (!double.IsFinite(sample.Seconds) || (_newest is { } last && (sample.Round, sample.IsEvaluation).CompareTo((last.Round, last.IsEvaluation)) <= 0))
        {
            return;
        }

        if (teller != _teller || sample.Seconds < _newest?.Seconds)
        {
            (_teller, _firstOfTeller) = (teller, sample);
        }

        _history.Add(sample.Round, sample.SamplesSeen, RateSince(sample) is { } rate ? sample.Values.Append(new(MetricHistory.Rate, rate)) : sample.Values);
        _newest = sample;
        _newestNumber++;
        Push(_samples, sample, ReportBounds.MaxSamples);
        foreach (var (name, value) in sample.Values)
        {
            if (_metrics.Count < MaxMetrics || _metrics.ContainsKey(name))
            {
                _metrics[name] = value;
            }
        }
    }

    /// <summary>Training samples a second since the sample before; null where another told that one, or no time has passed.</summary>
    private double? RateSince(RoundSample sample) =>
        !sample.IsEvaluation && _newest is { } before && !ReferenceEquals(_firstOfTeller, sample) && sample.Seconds > before.Seconds && sample.SamplesSeen > before.SamplesSeen
            ? (sample.SamplesSeen - before.SamplesSeen) / (sample.Seconds - before.Seconds)
            : null;

    private long Larger(long known, long said)
    {
        Version += said > known ? 1 : 0;
        return Math.Max(known, said);
    }

    private void Push<T>(Queue<T> queue, T item, int limit)
    {
        Version++;
        queue.Enqueue(item);
        if (queue.Count > limit)
        {
            queue.Dequeue();
        }
    }
}
