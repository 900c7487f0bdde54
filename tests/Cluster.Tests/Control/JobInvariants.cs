using System.Collections.Immutable;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Spec;
using Cluster.Grains.Jobs;

namespace Cluster.Tests.Control;

/// <summary>What must hold of a job after every event, and between what was before it and what is after.</summary>
internal sealed class JobInvariants
{
    private readonly Dictionary<long, string[]> _generations = [];
    private readonly Dictionary<long, long> _versions = [];

    /// <summary>The first that does not hold, in words; null when all do.</summary>
    public string? Broken(JobGrainState before, JobStory story, JobEventName? what)
    {
        var s = story.State;
        return OfStates(before, s, what?.Name) ?? OfMembers(before, s) ?? OfChanges(before, s, story.Round, what) ?? OfOrders(before, s, story.Round) ?? OfDirectives(s);
    }

    private static string? OfStates(JobGrainState before, JobGrainState s, string? what) =>
        s.Reason.Length == 0 ? "no reason is given"
        : (s.Submission is null) != (s.State is JobState.Unknown) ? "a submitted job was forgotten"
        : before.State is JobState.Succeeded && s.State != before.State ? "success was taken back"
        : before.State.IsFinal && s.State != before.State && what is not "resume" ? "a final state was left without a resume"
        : before.State is JobState.Paused && s.State is not (JobState.Paused or JobState.Waiting or JobState.Cancelled or JobState.Failed) ? "a pause ended by itself"
        : s.State is JobState.Succeeded && !IsEarned(s) ? "success was not earned"
        : s.GrantVersion < before.GrantVersion ? "the grant went back"
        : null;

    private static bool IsEarned(JobGrainState s) =>
        s.Outcomes.All(o => o is { State: JobState.Succeeded, WeightsSha256: { } hash } && hash == s.Outcomes[0]!.WeightsSha256);

    private string? OfMembers(JobGrainState before, JobGrainState s)
    {
        var ids = s.Members.Select(m => m.Id).ToArray();
        if (s.State.IsActive != (s.Members.Length > 0) && !s.State.IsFinal)
        {
            return "an active job has members, and no other that goes on";
        }

        if (s.State.IsActive && !_generations.TryAdd(s.Generation, ids) && !_generations[s.Generation].SequenceEqual(ids))
        {
            return "a generation has changed its members";
        }

        return ids.Distinct().Count() != ids.Length ? "a worker has two ranks"
            : s.Outcomes.Length != s.Members.Length ? "not every rank has an outcome to report"
            : s.State is JobState.Waiting && !s.Granted.IsEmpty && s.Granted.All(g => s.Ready.Contains(g.Id)) ? "all workers are ready and nothing begins"
            : s.IsBroken && (!s.State.IsActive || s.Loss is null || s.Suspects.Any(id => s.Computing.All(m => m.Id != id))) ? "the wrong ones are suspects"
            : !s.Faulted.IsEmpty && !s.IsBroken ? "a loss has no consequence"
            : !s.TakesWorkers && !(s.Granted.IsEmpty && s.Previous.IsEmpty && s.Ready.IsEmpty) ? "a job that takes no workers has some"
            : s.Workers.Any(w => s.Unreached.Any(w.IsSameProcess)) ? "a worker that was left out is still there"
            : s.Generation == before.Generation && s.Members.Length > before.Members.Length ? "a worker joined without a generation"
            : null;
    }

    private static string? OfChanges(JobGrainState before, JobGrainState s, long round, JobEventName? what)
    {
        if (s.Generation < before.Generation)
        {
            return "the generation went back";
        }

        // What a worker says of an older generation counts no more than that it was heard of.
        if (what is { Report: { } report, Speaker: { } speaker } && before.RankOf(speaker) >= 0 && IsOld(before, report.Generation)
            && JobMachine.Hear(before, speaker, null, round).State.ToString() is var heard && heard != s.ToString())
        {
            return $"an old generation changed something; only being heard makes it {heard}";
        }

        if (s.Generation == before.Generation || !s.State.IsActive)
        {
            return null;
        }

        var (old, now) = (before.Computing, s.Members);
        var survivors = old.Where(o => now.Any(o.IsSameProcess)).Select(o => o.Id).ToArray();
        return !now.Take(survivors.Length).Select(m => m.Id).SequenceEqual(survivors) ? "survivors lost their order"
            : now.Skip(survivors.Length).Any(m => !s.IsGranted(m)) ? "a newcomer is not granted"
            : before.State.IsActive && survivors.Length == 0 && !s.IsRecovery ? "nobody hands the state on"
            : null;
    }

    /// <summary>No order is lost or changes its mind; the spec is that of the orders taken; a generation computes one spec.</summary>
    private string? OfOrders(JobGrainState before, JobGrainState s, long round)
    {
        if (s.State.IsActive && !_versions.TryAdd(s.Generation, s.Effective!.Version) && _versions[s.Generation] != s.Effective.Version)
        {
            return "a generation has changed its spec";
        }

        if (s.Orders == before.Orders && s.Course == before.Course)
        {
            return s.HasPendingOrders && s.State is JobState.Waiting && s.Before is null ? "nobody is at work and an order waits" : null;
        }

        var isLost = before.Orders.Where((order, i) => s.Orders.Length <= i || s.Orders[i].Number != order.Number || s.Orders[i].Kind != order.Kind || !MayBecome(before, order, s.Orders[i])).Any();
        var taken = s.Orders.Where(order => order.State is OrderState.Taken).ToArray();
        var spec = SpecReader.Read(s.Effective!.SpecText, "spec").Spec;
        return isLost ? "an order was lost, or changed"
            : s.Orders.Any(order => order.State is OrderState.Refused && string.IsNullOrEmpty(order.Reason)) ? "an order is refused without a reason"
            : !taken.SequenceEqual(s.Effective.Orders) ? "the spec is not that of the orders taken"
            : spec is null || SpecHash.Of(spec) != s.Effective.SpecHash ? "the longer spec is wrong"
            : s.Effective.Version < before.Effective!.Version ? "the version went back"
            : taken.Any(order => before.Orders.All(b => b.Number != order.Number || b.State is not OrderState.Taken) && (order.AgreesUntil < round || order.Round != round)) ? "an order changed rounds that were committed"
            : null;
    }

    private static bool MayBecome(JobGrainState before, JobOrder was, JobOrder now) => was.State switch
    {
        OrderState.Stored => true,
        OrderState.Taken when before.Before is not null => now == was || now.State is OrderState.Refused,
        _ => now == was,
    };

    private static bool IsOld(JobGrainState s, long generation) =>
        generation < s.Generation - 1 || (generation == s.Generation - 1 && (s.IsRecovery || s.IsSettled));

    private static string? OfDirectives(JobGrainState s)
    {
        foreach (var worker in s.Workers.Add(Some.Worker("stranger")))
        {
            var directive = JobDirectives.For(s, "job", worker, report: null, absorbedRound: 0, storedRound: 0);
            var isRight = directive switch
            {
                Directive.Train t => s.State.IsActive && s.Members[t.Assignment.Rank].IsSameProcess(worker) && t.Assignment.Generation == s.Generation,
                Directive.Prepare => s.TakesWorkers && s.RankOf(worker) < 0 && s.IsGranted(worker),
                Directive.Idle => !s.TakesWorkers || (s.RankOf(worker) < 0 && !s.IsGranted(worker)),
                _ => false,
            };
            if (!isRight)
            {
                return $"{worker.Id} is told {directive}";
            }
        }

        return null;
    }
}
