using System.Collections.Immutable;
using Cluster.Contracts.Jobs;

namespace Cluster.Grains.Jobs;

/// <summary>What a job's workers say, and what becomes of it.</summary>
internal static partial class JobMachine
{
    /// <summary>A worker was heard of; with a report when it has something of this job.</summary>
    public static JobStep Hear(JobGrainState s, WorkerInfo worker, JobReport? report, long round)
    {
        if (!s.TakesWorkers || !s.Workers.Any(worker.IsSameProcess))
        {
            return new(s, s.TakesWorkers ? $"has no worker {worker.Id}" : $"is {s.State}");
        }

        var step = new JobStep(s, "hears of its workers");
        if (report is not null)
        {
            step = s.Computing.Any(worker.IsSameProcess) ? HearMember(s, worker, report) : HearCandidate(s, worker, report);
        }

        return Generations.Regroup(Clear(step, worker, round), round);
    }

    /// <summary>The suspects had time enough to be heard of: they are lost, and the others go on.</summary>
    public static JobStep GiveUpSuspects(JobGrainState s, long round) => s.IsBroken
        ? Generations.Lose(s, [.. s.Computing.Where(m => s.Suspects.Contains(m.Id))], round, s.Loss!)
        : new(s, "suspects nobody");

    /// <summary>Of the ranks that said what their weights are: the one hash on which all agree, or null.</summary>
    public static string? AgreedHash(JobGrainState s)
    {
        var hashes = s.Outcomes.Select(o => o?.WeightsSha256).Where(h => h is not null).Distinct().ToArray();
        return hashes is [var one] ? one : null;
    }

    private static JobStep HearMember(JobGrainState s, WorkerInfo worker, JobReport report)
    {
        var rank = s.RankOf(worker);
        if (report.Generation != s.Generation || rank < 0)
        {
            // Until all ranks have changed over, what breaks in the generation before breaks the change to the newest.
            var isStillThere = s.WasMember(worker) && !(rank >= 0 && !s.Arrived.IsEmpty && s.Arrived[rank]);
            return isStillThere && report.Generation == s.Generation - 1
                ? Break(s, worker, report)
                : new(s, $"leaves what {worker.Id} says of generation {report.Generation}");
        }

        var step = Break(Arrive(s, rank), worker, report);
        return step.State.State.IsActive && report.Outcome is { } outcome ? End(step, rank, outcome) : step;
    }

    private static JobStep HearCandidate(JobGrainState s, WorkerInfo worker, JobReport report) => report switch
    {
        _ when report.Version != s.Effective!.Version => new(s, $"{worker.Id} holds the job as it was before or after"),
        { Outcome: { State: JobState.Failed, Reason: var reason }, IsReady: false } when s.Before is not null =>
            Orders.TakeBack(s, $"worker {worker.Id} cannot take it up: {reason ?? "it gave no reason"}"),
        { Outcome: { State: JobState.Failed, Reason: var reason }, IsReady: false } =>
            Ended(s, JobState.Failed, $"worker {worker.Id} cannot take the job up: {reason ?? "it gave no reason"}"),
        { IsReady: true, Outcome: not { State: JobState.Failed } } when !s.Ready.Contains(worker.Id) =>
            new(s with { Ready = s.Ready.Add(worker.Id) }, $"{worker.Id} is ready"),
        _ => new(s, $"{worker.Id} makes ready"),
    };

    private static JobGrainState Arrive(JobGrainState s, int rank)
    {
        if (s.IsSettled)
        {
            return s;
        }

        // Who had arrived is not stored: after a restart of the silo it is counted again.
        var arrived = s.Arrived.IsEmpty ? [.. s.Members.Select(_ => false)] : s.Arrived;
        if (arrived[rank])
        {
            return s;
        }

        s = s with { Arrived = arrived.SetItem(rank, true) };
        return s.Arrived.All(a => a)
            ? s with { IsSettled = true, Previous = [], Suspects = s.Suspects.RemoveAll(id => s.Members.All(m => m.Id != id)) }
            : s;
    }

    /// <summary>
    /// A collective of the generation in which the worker computes was broken off, or the worker failed by itself. A member that
    /// it lost is first asked whether it lives: its peers may have lost a connection, or one that gave up because of a third.
    /// </summary>
    private static JobStep Break(JobGrainState s, WorkerInfo worker, JobReport report)
    {
        if (report.Outcome is { State: JobState.Failed, IsShared: false } failed)
        {
            var rank = s.RankOf(worker) is >= 0 and var r ? $" (rank {r})" : "";
            return Ended(s, JobState.Failed, $"worker {worker.Id}{rank} failed: {failed.Reason ?? "it gave no reason"}");
        }

        if (report.Fault is not { } fault || s.Faulted.Contains(worker.Id))
        {
            return new(s, $"{worker.Id} computes");
        }

        var lost = fault.LostWorker;
        var suspects = lost is not null && lost != worker.Id && !s.Faulted.Contains(lost) && s.Computing.Any(m => m.Id == lost)
            ? s.Suspects.Remove(lost).Add(lost)
            : s.Suspects;
        var broken = s with
        {
            Faulted = s.Faulted.Add(worker.Id),
            Suspects = suspects,
            Blames = fault.MayGoOnWithout && lost is not null && s.Computing.Any(m => m.Id == lost) ? s.Blames.Add(new(s.Generation, lost)) : s.Blames,
            Loss = s.Loss ?? $"{worker.Id} lost {lost ?? "a peer"}: {fault.Reason}",
        };
        return new(broken, broken.Loss);
    }

    /// <summary>A worker that is heard of lives. When no suspect is left, the generation that was lost is replaced.</summary>
    private static JobStep Clear(JobStep step, WorkerInfo worker, long round)
    {
        var s = step.State;
        if (s.Suspects.Contains(worker.Id))
        {
            s = s with { Suspects = s.Suspects.Remove(worker.Id) };
            step = new(s, $"{worker.Id} lives");
        }

        return s.Loss is { } loss && !s.IsBroken ? Generations.Lose(s, [], round, loss) : step;
    }

    /// <summary>A rank has ended. The first outcome of a rank counts.</summary>
    private static JobStep End(JobStep step, int rank, Outcome outcome)
    {
        var s = step.State;
        if (s.Outcomes[rank] is not null)
        {
            return step;
        }

        var first = s.Outcomes.All(o => o is null);
        s = s with { Outcomes = s.Outcomes.SetItem(rank, first ? outcome : outcome with { Environment = ImmutableDictionary<string, string>.Empty }) };
        var running = s.Outcomes.Count(o => o is null);
        return running > 0 ? new(s, $"rank {rank} ended as {outcome.State}, {running} of {s.Outcomes.Length} go on") : Conclude(s);
    }

    /// <summary>All ranks have ended.</summary>
    private static JobStep Conclude(JobGrainState s)
    {
        if (s.Outcomes.FirstOrDefault(o => o!.State is JobState.Failed) is { } failed)
        {
            return Ended(s, JobState.Failed, failed.Reason ?? "its workers gave no reason");
        }

        if (Disagreement(s) is { } difference)
        {
            return Ended(s, JobState.Failed, $"ranks disagree on the final weights: {difference}");
        }

        if (s.Outcomes.Any(o => o!.State is JobState.Cancelled))
        {
            return s.State switch
            {
                JobState.Stopping => Ended(s, JobState.Cancelled, s.Reason),
                JobState.Pausing => Ended(s, JobState.Paused, s.Reason),
                _ when s.HasPendingOrders => To(Generations.WithoutMembers(s), JobState.Waiting, "stopped at a checkpoint to go on with what was ordered"),
                _ => To(Generations.WithoutMembers(s), JobState.Waiting, "its workers were taken away at a checkpoint: it goes on from there when there are others"),
            };
        }

        var silent = s.Outcomes.IndexOf(s.Outcomes.FirstOrDefault(o => o!.WeightsSha256 is null));
        if (silent < 0 && s.IsHolding)
        {
            return To(Generations.WithoutMembers(s), JobState.Waiting, "had come to its end, and goes on with what was ordered before");
        }

        return silent >= 0
            ? Ended(s, JobState.Failed, $"worker {s.Members[silent].Id} (rank {silent}) did not say what its final weights are")
            : Ended(s, JobState.Succeeded, s.Outcomes.Length == 1 ? "its worker finished" : $"all {s.Outcomes.Length} ranks ended with the same weights");
    }

    /// <summary>Names the first rank that differs from the first that gave a hash; null when all agree.</summary>
    private static string? Disagreement(JobGrainState s)
    {
        var given = s.Outcomes.Select((o, rank) => (Rank: rank, Hash: o!.WeightsSha256)).Where(g => g.Hash is not null).ToArray();
        foreach (var (rank, hash) in given)
        {
            if (hash != given[0].Hash)
            {
                return $"rank {given[0].Rank} ({s.Members[given[0].Rank].Id}) has {given[0].Hash}, rank {rank} ({s.Members[rank].Id}) has {hash}";
            }
        }

        return null;
    }
}
