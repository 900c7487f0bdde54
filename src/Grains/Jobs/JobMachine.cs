using System.Collections.Immutable;
using Cluster.Contracts.Jobs;

namespace Cluster.Grains.Jobs;

/// <summary>
/// The decisions of a job, as functions of its state and of what happened: no clock, no chance, no I/O.
/// </summary>
/// <remarks>
/// <code>
///   Unknown --Submit--> Waiting --Grant--> Running --Stop--> Stopping
///   Waiting            --Stop--> Cancelled
///   Running, Stopping  --any rank failed, or Fail----------------> Failed        (a rank that lost a peer lets it speak first)
///   Running, Stopping  --all ranks ended, hashes differ----------> Failed
///   Running, Stopping  --all ranks Succeeded with one hash-------> Succeeded     (also when a stop came too late)
///   Running, Stopping  --all ranks ended, at least one Cancelled-> Cancelled
/// </code>
/// Final states never change; every other event in any state changes nothing and says why.
/// </remarks>
internal static class JobMachine
{
    public static JobStep Submit(JobGrainState s, JobSubmission submission) => s.State is JobState.Unknown
        ? To(s with { Submission = submission }, JobState.Waiting, $"waits for {Count(submission.Workers, "worker")}")
        : new(s, "was submitted before");

    /// <summary>Generation 1 begins: ranks in the order granted.</summary>
    /// <param name="secret">32 random bytes, made for this grant.</param>
    public static JobStep Grant(JobGrainState s, ImmutableArray<WorkerInfo> workers, ImmutableArray<byte> secret)
    {
        if (s.State is not JobState.Waiting)
        {
            return new(s, $"needs no workers: it is {s.State}");
        }

        if (workers.Length != s.Submission!.Workers)
        {
            return new(s, $"refused {workers.Length} workers: it wants {s.Submission.Workers}, all at once");
        }

        var started = s with
        {
            Generation = s.Generation + 1,
            Members = workers,
            Secret = secret,
            Outcomes = [.. Enumerable.Repeat<Outcome?>(null, workers.Length)],
        };
        return To(started, JobState.Running, $"has {Count(workers.Length, "worker")}");
    }

    /// <summary>
    /// A report counts only from a member of this generation, under its own rank: anything else is late or lost its way.
    /// </summary>
    public static bool IsCurrent(JobGrainState s, string workerId, JobReport report) =>
        report.Generation == s.Generation && report.Rank >= 0 && report.Rank == s.RankOf(workerId);

    /// <summary>A rank has ended. The first outcome of a rank counts.</summary>
    public static JobStep End(JobGrainState s, int rank, Outcome outcome)
    {
        if (s.State is not (JobState.Running or JobState.Stopping))
        {
            return new(s, $"is {s.State}");
        }

        if (s.Outcomes[rank] is not null)
        {
            return new(s, $"rank {rank} has reported its end before");
        }

        s = s with { Outcomes = s.Outcomes.SetItem(rank, outcome) };
        if (RootFailure(s) is { } root)
        {
            return FailBecauseOf(s, root);
        }

        if (outcome is { State: JobState.Failed, LostPeer: { } lost })
        {
            return new(s, $"rank {rank} lost rank {lost}, which may say itself what happened");
        }

        var running = s.Outcomes.Count(o => o is null);
        return running > 0 ? new(s, $"rank {rank} ended as {outcome.State}, {running} of {s.Outcomes.Length} go on") : Conclude(s);
    }

    /// <summary>Some rank has failed for want of a peer that has not said what happened to it.</summary>
    public static bool AwaitsReason(JobGrainState s) =>
        s.State is JobState.Running or JobState.Stopping && s.Outcomes.Any(o => o?.State is JobState.Failed);

    /// <summary>The lost peer had time enough to speak: the loss itself is the reason.</summary>
    public static JobStep StopAwaiting(JobGrainState s) => AwaitsReason(s)
        ? FailBecauseOf(s, s.Outcomes.IndexOf(s.Outcomes.First(o => o?.State is JobState.Failed)))
        : new(s, "awaits no reason");

    public static JobStep Stop(JobGrainState s, string reason) => s.State switch
    {
        JobState.Waiting => To(s, JobState.Cancelled, $"stopped before it began: {reason}"),
        JobState.Running => To(s, JobState.Stopping, reason),
        _ => new(s, $"cannot be stopped: it is {s.State}"),
    };

    public static JobStep Fail(JobGrainState s, string reason) => s.State is JobState.Unknown || s.State.IsFinal
        ? new(s, $"cannot fail: it is {s.State}")
        : To(s, JobState.Failed, reason);

    /// <summary>What one worker should be doing in this state.</summary>
    public static Directive DirectiveFor(JobGrainState s, string jobId, string workerId) => (s.State, Rank: s.RankOf(workerId)) switch
    {
        (JobState.Running or JobState.Stopping, >= 0 and var rank) => new Directive.Train(
            new(jobId, s.Generation, rank, s.Members, s.Secret, s.Submission!), Stop: s.State is JobState.Stopping),
        (JobState.Running or JobState.Stopping, _) => new Directive.Idle($"job {jobId} runs without {workerId}"),
        _ => new Directive.Idle($"job {jobId} is {s.State}: {s.Reason}"),
    };

    /// <summary>Of the ranks that said what their weights are: the one hash on which all agree, or null.</summary>
    public static string? AgreedHash(JobGrainState s)
    {
        var hashes = s.Outcomes.Select(o => o?.WeightsSha256).Where(h => h is not null).Distinct().ToArray();
        return hashes is [var one] ? one : null;
    }

    /// <summary>
    /// The rank whose own failure ends the job; null while there is none. One that failed because it lost a peer is the root only
    /// when that peer ended well, or when all ranks have ended.
    /// </summary>
    private static int? RootFailure(JobGrainState s)
    {
        var failed = Enumerable.Range(0, s.Outcomes.Length).Where(rank => s.Outcomes[rank]?.State is JobState.Failed).ToArray();
        var roots = failed.Where(rank => s.Outcomes[rank]!.LostPeer is not { } lost || s.Outcomes[lost] is { State: not JobState.Failed });
        return roots.Select(rank => (int?)rank).FirstOrDefault() ?? (failed.Length > 0 && !s.Outcomes.Contains(null) ? failed[0] : null);
    }

    private static JobStep FailBecauseOf(JobGrainState s, int rank) =>
        To(s, JobState.Failed, $"worker {s.Members[rank].Id} (rank {rank}) failed: {s.Outcomes[rank]!.Reason ?? "it gave no reason"}");

    /// <summary>All ranks have ended, none as Failed.</summary>
    private static JobStep Conclude(JobGrainState s)
    {
        if (Disagreement(s) is { } difference)
        {
            return To(s, JobState.Failed, $"ranks disagree on the final weights: {difference}");
        }

        if (s.Outcomes.Any(o => o!.State is JobState.Cancelled))
        {
            return To(s, JobState.Cancelled, s.State is JobState.Stopping ? s.Reason : "its workers ended before the last round");
        }

        for (var rank = 0; rank < s.Outcomes.Length; rank++)
        {
            if (s.Outcomes[rank]!.WeightsSha256 is null)
            {
                return To(s, JobState.Failed, $"worker {s.Members[rank].Id} (rank {rank}) did not say what its final weights are");
            }
        }

        return To(s, JobState.Succeeded, s.Outcomes.Length == 1 ? "its worker finished" : $"all {s.Outcomes.Length} ranks ended with the same weights");
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

    private static JobStep To(JobGrainState s, JobState state, string reason) => new(s with { State = state, Reason = reason }, reason);

    private static string Count(int n, string thing) => n == 1 ? $"1 {thing}" : $"{n} {thing}s";
}
