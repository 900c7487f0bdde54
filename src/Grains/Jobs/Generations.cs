using System.Collections.Immutable;
using Cluster.Contracts.Jobs;

namespace Cluster.Grains.Jobs;

/// <summary>Who computes together: makes a job's generations, one number higher each time.</summary>
/// <remarks>
/// Ranks: whoever may hold the newest state keeps its place in the order, newcomers come after. So the lowest rank, which
/// writes the checkpoints, changes only when its worker goes, and is a newcomer only when all are.
/// </remarks>
internal static class Generations
{
    /// <summary>So many generations in a row without a committed round are no accident: something kills whoever computes this round.</summary>
    public const int MaxLostInARow = 10;

    /// <summary>So many without a committed round that were lost to workers that live are no accident either: the one that is lost most cannot be reached.</summary>
    public const int MaxLostToTheLiving = 3;

    /// <summary>
    /// Makes the generation that the granted workers call for, if now is the time for it: the first one when all of them are
    /// ready, and a graceful one when workers that are ready are to join, or members to leave. Called after every event.
    /// </summary>
    public static JobStep Regroup(JobStep step, long round)
    {
        step = Orders.Settle(step, round);
        var s = step.State;
        if (s.State is JobState.Waiting && !s.Granted.IsEmpty && s.Granted.All(g => s.Ready.Contains(g.Id)))
        {
            // Whatever was before the first generation of this life has ended: nobody has to wait for it.
            return Begin(s, s.Granted, isRecovery: s.Generation > 0, "");
        }

        // Once a rank has ended, or has been told to, the others are about to: a newcomer would only keep them.
        if (s.State is not JobState.Running || !s.IsSettled || s.IsBroken || s.IsHolding || s.Outcomes.Any(o => o is not null))
        {
            return step;
        }

        // When all are to leave, newcomers join first, so that there is somebody to hand the state to; without any, the job parks.
        var join = Candidates(s);
        var stay = s.Members.Where(m => s.IsGranted(m) || (s.IsParking && !join.IsEmpty)).ToImmutableArray();
        if (stay.IsEmpty || (stay.Length == s.Members.Length && join.IsEmpty))
        {
            return step;
        }

        var leave = s.Members.RemoveAll(stay.Contains);
        string[] changes = [
            .. join.IsEmpty ? Array.Empty<string>() : [$"{JobMachine.Ids(join)} joined"],
            .. leave.IsEmpty ? Array.Empty<string>() : [$"{JobMachine.Ids(leave)} left"]];
        return Begin(s, [.. stay, .. join], isRecovery: false, $": {string.Join(", ", changes)}");
    }

    /// <summary>
    /// The newest generation is lost, and these workers with it. The others go on in a recovery generation, also those that were
    /// about to leave: one of them may be the last to hold the newest round.
    /// </summary>
    public static JobStep Lose(JobGrainState s, ImmutableArray<WorkerInfo> gone, long round, string why)
    {
        var members = s.Members;
        s = Evict(s, gone) with
        {
            Suspects = [],
            Faulted = [],
            Loss = null,
            Recoveries = s.Recoveries + 1,
            LostInARow = round > s.LostRound ? 1 : s.LostInARow + 1,
            LostRound = Math.Max(round, s.LostRound),
            Blames = gone.IsEmpty ? s.Blames.RemoveAll(b => round > s.LostRound && b.Generation != s.Generation) : s.Blames.RemoveAll(b => b.Generation == s.Generation),
        };
        if (Blamed(s) >= MaxLostToTheLiving && MostBlamed(s) is { } unreached)
        {
            why = $"{unreached.Id} is left out: the others lost it {Blamed(s)} times in a row although it lives ({why})";
            s = LeaveOut(s, unreached);
        }

        if (s.LostInARow >= MaxLostInARow)
        {
            return Ended(JobState.Failed, $"{s.LostInARow} generations in a row were lost after round {s.LostRound}; the last one because {why}");
        }

        if (s.Computing is { IsEmpty: false } survivors)
        {
            return Begin(s, [.. survivors, .. s.State is JobState.Running ? Candidates(s) : []], isRecovery: true, $": {why}");
        }

        return s.State switch
        {
            JobState.Stopping => Ended(JobState.Cancelled, $"{s.Reason}; its workers were lost before they had ended ({why})"),
            JobState.Pausing => Ended(JobState.Paused, $"{s.Reason}; its workers were lost before they had ended ({why})"),
            _ => Regroup(JobMachine.To(WithoutMembers(s), JobState.Waiting, $"all its workers were lost ({why}): it goes on from its newest checkpoint when there are others"), round),
        };

        JobStep Ended(JobState state, string reason) => JobMachine.Ended(s with { Members = members }, state, reason);
    }

    /// <summary>Generations since the last committed round that were lost to workers that live.</summary>
    private static int Blamed(JobGrainState s) => s.Blames.Select(b => b.Generation).Distinct().Count();

    /// <summary>The member that others lost most often; of several, the one that came last. Null when the others could not go on without it.</summary>
    private static WorkerInfo? MostBlamed(JobGrainState s) => s.Computing.Length < 2 ? null : s.Computing
        .Select((member, order) => (Member: member, Times: s.Blames.Count(b => b.WorkerId == member.Id), Order: order))
        .Where(m => m.Times > 0)
        .OrderByDescending(m => m.Times).ThenByDescending(m => m.Order)
        .Select(m => m.Member)
        .FirstOrDefault();

    private static JobGrainState LeaveOut(JobGrainState s, WorkerInfo unreached)
    {
        var left = Evict(s, [unreached]);
        return left with { Returned = left.Returned.Remove(unreached), Unreached = left.Unreached.Add(unreached), LostInARow = 0, Blames = [] };
    }

    /// <summary>Takes workers out of everything, and notes those for the pool that it still takes for the job's.</summary>
    public static JobGrainState Evict(JobGrainState s, ImmutableArray<WorkerInfo> gone)
    {
        bool Stays(WorkerInfo worker) => !gone.Any(worker.IsSameProcess);
        return s with
        {
            Members = [.. s.Members.Where(Stays)],
            Previous = [.. s.Previous.Where(Stays)],
            Granted = [.. s.Granted.Where(Stays)],
            Ready = [.. s.Ready.Where(id => gone.All(g => g.Id != id))],
            Returned = [.. s.Returned, .. s.Granted.Where(g => !Stays(g) && !s.Returned.Contains(g))],
        };
    }

    /// <summary>No generation is at work.</summary>
    public static JobGrainState WithoutMembers(JobGrainState s) => s with
    {
        Members = [],
        Previous = [],
        Outcomes = [],
        Arrived = [],
        Secret = [],
        IsSettled = false,
        Suspects = [],
        Faulted = [],
        Loss = null,
        Blames = [],
    };

    /// <summary>Granted workers that are ready and in no generation, in the pool's order.</summary>
    private static ImmutableArray<WorkerInfo> Candidates(JobGrainState s) =>
        [.. s.Granted.Where(g => s.Ready.Contains(g.Id) && s.RankOf(g) < 0 && !s.WasMember(g))];

    private static JobStep Begin(JobGrainState s, ImmutableArray<WorkerInfo> members, bool isRecovery, string why)
    {
        var next = s with
        {
            State = s.State is JobState.Waiting ? JobState.Running : s.State,
            Reason = s.State is JobState.Waiting or JobState.Running ? $"has {JobMachine.Count(members.Length, "worker")}" : s.Reason,
            Generation = s.Generation + 1,
            Members = members,
            Secret = [],
            IsRecovery = isRecovery,
            IsSettled = false,
            Previous = isRecovery ? [] : s.Members,
            Outcomes = [.. members.Select(_ => (Outcome?)null)],
            Arrived = [.. members.Select(_ => false)],
            Ready = s.Ready.RemoveAll(id => members.Any(m => m.Id == id)),
            Before = s.State is JobState.Waiting ? null : s.Before, // All of them have the data of a stage on trial.
        };
        return new(next, $"generation {next.Generation} has {JobMachine.Count(members.Length, "worker")}{why}");
    }
}
