using System.Collections.Immutable;
using Cluster.Contracts.Jobs;

namespace Cluster.Grains.Jobs;

/// <summary>
/// The decisions of a job, as functions of its state and of what happened: no clock, no chance, no I/O. Here is what
/// people and the pool want; what its workers say is in JobMachine.Reports.cs, and who computes together in
/// <see cref="Generations"/>.
/// </summary>
/// <remarks>
/// <code>
///   Unknown --Submit--> Waiting --all granted workers ready--> Running --Stop----> Stopping --all ended--> Cancelled
///                          ^                                    | | \--Pause--> Pausing ----all ended--> Paused
///                          +--all workers lost, or all drained--+ +--> Succeeded | Failed
///   Stop:   Waiting, Paused --> Cancelled          Resume: Paused, Failed, Cancelled --> Waiting
/// </code>
/// A new state carries its reason. Every other event in any state changes nothing and says why.
/// <para>
/// Generations. Workers that come or go by the pool's will make a graceful one, which the ranks take up together at the
/// end of a round; it is not replaced by another graceful one before every member has arrived in it. A loss makes a
/// recovery generation at any time. Whatever a worker says of an older generation changes nothing, with one exception:
/// until all have arrived in a graceful one, the ranks still compute in the one before, and may lose that.
/// </para>
/// </remarks>
internal static partial class JobMachine
{
    /// <param name="now">UTC.</param>
    public static JobStep Submit(JobGrainState s, JobSubmission submission, DateTime now) => s.State is JobState.Unknown
        ? To(s with { Submission = submission, SubmittedAt = now }, JobState.Waiting, $"waits for {Count(submission.MinWorkers, "worker")}")
        : new(s, "was submitted before");

    /// <summary>From the pool: these are the job's workers. A level: only the newest version counts.</summary>
    /// <param name="round">Rounds that the job is known to have committed; so everywhere.</param>
    public static JobStep Grant(JobGrainState s, ImmutableArray<WorkerInfo> workers, long version, long round)
    {
        if (!s.TakesWorkers || version <= s.GrantVersion)
        {
            return new(s, s.TakesWorkers ? $"knows a newer grant than version {version}" : $"takes no workers: it is {s.State}");
        }

        var granted = s with
        {
            Granted = workers.RemoveAll(w => s.Unreached.Any(w.IsSameProcess)), // The pool did not know yet.
            GrantVersion = version,
            Ready = [.. s.Ready.Where(id => s.Granted.First(g => g.Id == id) is var ready && workers.Any(ready.IsSameProcess))],
        };
        if (granted.Computing.Where(m => workers.Any(w => w.Id == m.Id && !w.IsSameProcess(m))).ToImmutableArray() is { IsEmpty: false } replaced)
        {
            return Generations.Lose(granted, replaced, round, $"another process has taken the place of {Ids(replaced)}");
        }

        var step = Generations.Regroup(new(granted, $"is granted {Count(workers.Length, "worker")}"), round);
        return step.State.IsParking && !s.IsParking
            ? To(step.State, JobState.Running, "all its workers are to leave: they end at a checkpoint")
            : step;
    }

    /// <summary>Leases have ended: these workers are lost.</summary>
    public static JobStep Silent(JobGrainState s, ImmutableArray<WorkerInfo> silent, long round)
    {
        if (!s.TakesWorkers || s.IsBroken)
        {
            return new(s, s.IsBroken ? "is asking which of its workers live" : $"has no workers: it is {s.State}");
        }

        var members = s.Computing.Where(m => silent.Any(m.IsSameProcess)).ToImmutableArray();
        var others = s.Granted.Where(g => silent.Any(g.IsSameProcess) && !members.Any(g.IsSameProcess)).ToImmutableArray();
        var left = others.IsEmpty ? s : Generations.Evict(s, others);

        // Also one that had reported its end: its state may be needed until all have, and the others do without it.
        return !members.IsEmpty ? Generations.Lose(left, members, round, $"{Ids(members)} fell silent")
            : others.IsEmpty ? new(s, "hears of all its workers")
            : Generations.Regroup(new(left, $"{Ids(others)} fell silent before joining"), round);
    }

    /// <summary>The pool knows that these are lost, or are of no use.</summary>
    public static JobGrainState Acknowledge(JobGrainState s, IReadOnlyCollection<WorkerInfo> known) => s.Returned.Concat(s.Unreached).Any(known.Contains)
        ? s with { Returned = s.Returned.RemoveAll(known.Contains), Unreached = s.Unreached.RemoveAll(known.Contains) }
        : s;

    public static JobStep Stop(JobGrainState s, string reason) => s.State switch
    {
        JobState.Waiting => Ended(s, JobState.Cancelled, $"stopped while it waited: {reason}"),
        JobState.Paused => Ended(s, JobState.Cancelled, reason),
        JobState.Running or JobState.Pausing => To(s, JobState.Stopping, reason),
        JobState.Stopping or JobState.Cancelled => new(s, "is stopped already"),
        _ => Refused(s, "stopped"),
    };

    public static JobStep Pause(JobGrainState s, string reason) => s.State switch
    {
        JobState.Waiting => Ended(s, JobState.Paused, $"paused while it waited: {reason}"),
        JobState.Running => To(s, JobState.Pausing, reason),
        JobState.Pausing or JobState.Paused => new(s, "is paused already"),
        _ => Refused(s, "paused"),
    };

    /// <summary>Also takes a pause back that the workers have not come to yet.</summary>
    public static JobStep Resume(JobGrainState s, long round) => s.State switch
    {
        JobState.Paused or JobState.Failed or JobState.Cancelled => Orders.Settle(
            To(Generations.WithoutMembers(s) with { LostInARow = 0 }, JobState.Waiting, $"resumed: waits for {Count(s.Submission!.MinWorkers, "worker")}"), round),
        JobState.Pausing => Generations.Regroup(To(s, JobState.Running, "resumed before it paused"), round),
        JobState.Waiting or JobState.Running => new(s, "is at work already"),
        _ => Refused(s, "resumed"),
    };

    public static JobStep Fail(JobGrainState s, string reason) => s.State is JobState.Unknown || s.State.IsFinal
        ? Refused(s, "failed")
        : Ended(s, JobState.Failed, reason);

    /// <summary>Final, or Paused: it needs no workers. A final job keeps its last members and how they ended.</summary>
    internal static JobStep Ended(JobGrainState s, JobState state, string reason) => To(
        (state is JobState.Paused ? Generations.WithoutMembers(s) : s) with { Granted = [], Ready = [], Previous = [], Suspects = [], Faulted = [], Loss = null, Blames = [] },
        state,
        reason);

    internal static JobStep To(JobGrainState s, JobState state, string reason) => new(s with { State = state, Reason = reason }, reason);

    internal static string Count(int n, string thing) => n == 1 ? $"1 {thing}" : $"{n} {thing}s";

    internal static string Ids(IEnumerable<WorkerInfo> workers) => string.Join(", ", workers.Select(w => w.Id));

    private static JobStep Refused(JobGrainState s, string wish) => s.State is JobState.Unknown
        ? new(s, s.Reason, s.Reason)
        : new(s, $"cannot be {wish}: it is {s.State}", $"it cannot be {wish}: it is {s.State}");
}
