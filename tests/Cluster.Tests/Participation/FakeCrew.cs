using System.Collections.Immutable;
using Cluster.Contracts.Federation;
using Cluster.Trainer.Rounds;

namespace Cluster.Tests.Participation;

/// <summary>The record as one test's ranks share it, and ranks at sites.</summary>
/// <param name="sites">By rank.</param>
internal sealed class FakeCrew(params string?[] sites) : IRoundCrew
{
    private readonly Lock _lock = new();

    public IReadOnlyList<string?> Sites => sites;

    /// <summary>Rounds known to be committed.</summary>
    public long Committed { get; init; }

    /// <summary>So many calls are not answered.</summary>
    public int Unanswered { get; set; }

    public SortedDictionary<long, ImmutableArray<Absence>> Absences { get; } = [];

    public List<string> Calls { get; } = [];

    public List<string> Notices { get; } = [];

    /// <summary>What happens while the loop waits for news.</summary>
    public Action OnWait { get; init; } = () => { };

    public PastRounds? TryRead(long round)
    {
        lock (_lock)
        {
            if (Unanswered-- > 0) { return null; }
            Calls.Add($"read {round}");
            return new PastRounds(Committed, 0, Absences.Where(decided => decided.Key >= round).ToImmutableDictionary());
        }
    }

    public bool TryRecord(long round, ImmutableArray<Absence> absences, bool isRevision)
    {
        lock (_lock)
        {
            if (Unanswered-- > 0) { return false; }
            Calls.Add($"record {round}: {string.Join(", ", absences.Select(a => $"{a.Client} {a.Kind}"))}{(isRevision ? ", a revision" : "")}");
            Absences[round] = absences;
            return true;
        }
    }

    public void AwaitNews()
    {
        lock (_lock) { OnWait(); }
    }

    public void Notice(string text)
    {
        lock (_lock) { Notices.Add(text); }
    }
}
