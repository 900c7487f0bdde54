using Cluster.Trainer.Core;
using Cluster.Trainer.Methods;

namespace Cluster.Trainer.Rounds;

/// <summary>The loop's own numbers, kept among the method's counters so that checkpoints and state transfers carry them.</summary>
internal sealed class RoundCounters
{
    private readonly IDictionary<string, long> _counters;

    public RoundCounters(IDictionary<string, long> counters)
    {
        _counters = counters;
        foreach (var name in (string[])["round", "samplesSeen", "skipped", "skippedInARow"]) { counters.TryAdd(name, 0); }
    }

    /// <summary>Rounds committed: applied and skipped.</summary>
    public long Round => this["round"];

    public long SamplesSeen => this["samplesSeen"];

    public long Skipped => this["skipped"];

    public long SkippedInARow => this["skippedInARow"];

    public void Commit(in Tally tally, bool skipped)
    {
        this["round"] = Round + 1;
        this["samplesSeen"] = SamplesSeen + (long)tally.Samples;
        this["skipped"] = Skipped + (skipped ? 1 : 0);
        this["skippedInARow"] = skipped ? SkippedInARow + 1 : 0;
    }

    /// <summary>A job that goes on after trouble has all its skips before it again.</summary>
    public void Forgive() => this["skippedInARow"] = 0;

    private long this[string name]
    {
        get => _counters[name];
        set => _counters[name] = value;
    }
}
