using System.Collections.Immutable;
using Cluster.Contracts.Jobs;

namespace Cluster.Grains.Jobs;

/// <summary>
/// How far a job has come, as its workers last said. Volatile and bounded: nothing here decides anything, and a restart of
/// the silo loses no more than the points of a chart.
/// </summary>
internal sealed class JobProgress
{
    public const int MaxSamplesPerView = 500;

    /// <summary>Newest values are kept for so many names over the life of a job.</summary>
    private const int MaxMetrics = 256;

    private readonly Dictionary<int, (long Round, long Leaves)> _ranks = [];
    private readonly Queue<RoundSample> _samples = new();
    private readonly Queue<string> _notices = new();
    private readonly Dictionary<string, double> _metrics = [];
    private RoundSample? _first;
    private RoundSample? _newest;
    private long _newestNumber;

    /// <summary>Rounds committed: all ranks commit the same ones, so the most that any of them said.</summary>
    public long Round { get; private set; }

    public long Rounds { get; private set; }

    public string? Checkpoint { get; private set; }

    public long SamplesSeen => _newest?.SamplesSeen ?? 0;

    public long SkippedRounds => _newest?.Skipped ?? 0;

    public ImmutableDictionary<string, double> Metrics => _metrics.ToImmutableDictionary();

    public ImmutableArray<string> Notices => [.. _notices];

    public double SamplesPerSecond => _newest is { } newest && _first is { } first && newest.Seconds > first.Seconds
        ? (newest.SamplesSeen - first.SamplesSeen) / (newest.Seconds - first.Seconds)
        : 0;

    /// <summary>Rounds committed and leaves computed by one rank.</summary>
    public (long Round, long Leaves) Of(int rank) => _ranks.GetValueOrDefault(rank);

    /// <summary>Takes in a report of the current generation, cut to size. Counts never go back, whatever order reports come in.</summary>
    public void Absorb(JobReport report)
    {
        var (round, leaves) = Of(report.Rank);
        _ranks[report.Rank] = (Math.Max(round, report.Round), Math.Max(leaves, report.LeavesComputed));
        Round = Math.Max(Round, report.Round);
        Rounds = Math.Max(Rounds, report.Rounds);

        foreach (var notice in report.Notices.Where(n => !_notices.Contains(n)))
        {
            Push(_notices, notice, ReportBounds.MaxNotices);
        }

        if (report.Rank == 0)
        {
            Checkpoint = report.Checkpoint ?? Checkpoint;
            foreach (var sample in report.Samples)
            {
                Add(sample);
            }
        }
    }

    /// <summary>Samples with a number above <paramref name="after"/>, oldest first, and the number of the last of them.</summary>
    public (ImmutableArray<RoundSample> Samples, long Last) SamplesAfter(long after)
    {
        var oldestNumber = _newestNumber - _samples.Count + 1;
        var skip = Math.Clamp(after - oldestNumber + 1, 0, _samples.Count);
        ImmutableArray<RoundSample> taken = [.. _samples.Skip((int)skip).Take(MaxSamplesPerView)];
        return (taken, taken.IsEmpty ? Math.Min(after, _newestNumber) : oldestNumber + skip + taken.Length - 1);
    }

    private void Add(RoundSample sample)
    {
        // An answer that got lost makes the worker send its samples again.
        if (!double.IsFinite(sample.Seconds) || sample.Seconds <= _newest?.Seconds)
        {
            return;
        }

        _first ??= sample;
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

    private static void Push<T>(Queue<T> queue, T item, int limit)
    {
        queue.Enqueue(item);
        if (queue.Count > limit)
        {
            queue.Dequeue();
        }
    }
}
