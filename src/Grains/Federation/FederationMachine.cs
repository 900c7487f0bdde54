using System.Collections.Immutable;
using Cluster.Contracts.Federation;

namespace Cluster.Grains.Federation;

/// <summary>The decisions about who was missing, as functions of what is known and of what is said: no clock, no chance, no I/O.</summary>
internal static class FederationMachine
{
    /// <summary>Far more rounds than lie between a job and the oldest checkpoint from which it may go on.</summary>
    public const int MaxRounds = 1_024;

    /// <summary>Absences in all these rounds together; the newest round is kept however many it has.</summary>
    public const int MaxAbsences = 16_384;

    /// <summary>Clients whose missed rounds are counted.</summary>
    public const int MaxClients = 4_096;

    public const int MaxShownClients = 200;

    public static FederationStep Begin(FederationState s, long generation) => generation > s.Generation
        ? new(s with { Generation = generation }, $"generation {generation} is at work")
        : new(s, $"generation {s.Generation} is at work", IsFenced: generation < s.Generation);

    /// <summary>The round will be committed without these.</summary>
    public static FederationStep Record(FederationState s, long generation, RoundAbsences decided)
    {
        if (generation < s.Generation)
        {
            return new(s, $"generation {generation} is dead: {s.Generation} is at work", IsFenced: true);
        }

        var index = s.Rounds.BinarySearch(decided, ByRound);
        var before = index >= 0 ? s.Rounds[index] : null;
        if (before is not null && before.Absences.SequenceEqual(decided.Absences))
        {
            return new(generation > s.Generation ? s with { Generation = generation } : s, $"round {decided.Round} is recorded so already");
        }

        var next = decided with { Revision = before is null ? decided.Revision : before.Revision + 1 };
        var recorded = s with
        {
            Generation = generation,
            Rounds = before is null ? s.Rounds.Insert(~index, next) : s.Rounds.SetItem(index, next),
            Recorded = s.Recorded + (before is null ? 1 : 0),
            Revised = s.Revised + (next.Revision > 0 ? 1 : 0),
            Clients = Count(s.Clients, next, before),
        };
        return new(Bounded(recorded), $"round {next.Round} does without {next.Absences.Length} of its clients{(next.Revision > 0 ? $", revision {next.Revision}" : "")}");
    }

    /// <summary>Records of the rounds after this one, oldest first.</summary>
    public static ParticipationPage Page(FederationState s, long afterRound, int count) => new(
        [.. s.Rounds.Where(r => r.Round > afterRound).Take(count)],
        s.ForgottenThrough,
        s.Rounds.IsEmpty ? s.ForgottenThrough : s.Rounds[^1].Round,
        s.Recorded,
        s.Revised,
        [.. s.Clients.Values.OrderByDescending(c => c.Late + c.Absent).ThenBy(c => c.Client, StringComparer.Ordinal).Take(MaxShownClients)]);

    private static IComparer<RoundAbsences> ByRound { get; } = Comparer<RoundAbsences>.Create((a, b) => a.Round.CompareTo(b.Round));

    /// <summary>A client that missed the round in an earlier decision too is counted once.</summary>
    private static ImmutableSortedDictionary<string, MissedRounds> Count(ImmutableSortedDictionary<string, MissedRounds> clients, RoundAbsences decided, RoundAbsences? before)
    {
        foreach (var absence in decided.Absences.Where(a => before?.Absences.Any(b => b.Client == a.Client) is not true))
        {
            if (clients.Count >= MaxClients && !clients.ContainsKey(absence.Client))
            {
                continue;
            }

            var known = clients.GetValueOrDefault(absence.Client) ?? new(absence.Client, 0, 0, 0);
            clients = clients.SetItem(absence.Client, known with
            {
                Late = known.Late + (absence.Kind is AbsenceKind.Late ? 1 : 0),
                Absent = known.Absent + (absence.Kind is AbsenceKind.Absent ? 1 : 0),
                LastRound = Math.Max(known.LastRound, decided.Round),
            });
        }

        return clients;
    }

    private static FederationState Bounded(FederationState s)
    {
        var (drop, absences) = (Math.Max(0, s.Rounds.Length - MaxRounds), s.Rounds.Sum(r => r.Absences.Length));
        for (var i = 0; i < drop; i++) { absences -= s.Rounds[i].Absences.Length; }
        for (; absences > MaxAbsences && drop < s.Rounds.Length - 1; drop++) { absences -= s.Rounds[drop].Absences.Length; }
        return drop == 0 ? s : s with { Rounds = s.Rounds.RemoveRange(0, drop), ForgottenThrough = Math.Max(s.ForgottenThrough, s.Rounds[drop - 1].Round) };
    }
}
