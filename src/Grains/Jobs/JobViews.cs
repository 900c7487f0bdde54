using System.Collections.Immutable;
using Cluster.Contracts.Jobs;

namespace Cluster.Grains.Jobs;

/// <summary>What people see of a job: its durable state and its progress in one picture.</summary>
internal static class JobViews
{
    /// <param name="queuePlace">While it waits: where it stands in the queue, in words.</param>
    public static JobView Of(string jobId, JobGrainState s, JobProgress progress, string? queuePlace, long afterSample)
    {
        var (samples, last) = progress.SamplesAfter(afterSample);
        return new(
            jobId,
            s.State,
            Reason(s, queuePlace),
            s.Generation,
            s.Recoveries,
            progress.Round,
            progress.Rounds,
            progress.SamplesSeen,
            progress.SkippedRounds,
            progress.Checkpoint,
            JobMachine.AgreedHash(s),
            Workers(s, progress),
            progress.Metrics,
            Environment: s.Outcomes.FirstOrDefault(o => o is { Environment.Count: > 0 })?.Environment ?? ImmutableDictionary<string, string>.Empty,
            samples,
            last,
            progress.Notices,
            progress.Events,
            progress.SamplesPerSecond,
            s.Effective)
        {
            Orders = s.Orders,
            Branches = [.. s.Branches.Select(branch => new BranchView(branch.Release, branch.JobId, branch.Refusal))],
        };
    }

    public static JobSummary SummaryOf(string jobId, JobGrainState s, JobProgress progress, string? queuePlace) =>
        new(jobId, s.State, Reason(s, queuePlace), progress.Round, progress.Rounds, s.State.IsActive ? s.Members.Length : 0, s.SubmittedAt);

    /// <summary>While it waits, also for what; why it waits again stays, too.</summary>
    private static string Reason(JobGrainState s, string? queuePlace)
    {
        var waitsFor = s.State is not JobState.Waiting ? null
            : s.Granted.IsEmpty ? queuePlace
            : $"{JobMachine.Count(s.Granted.Length, "worker")} {(s.Granted.Length == 1 ? "makes" : "make")} ready";
        return waitsFor is null ? s.Reason : s.Generation == 0 ? waitsFor : $"{s.Reason}; {waitsFor}";
    }

    private static ImmutableArray<JobWorkerView> Workers(JobGrainState s, JobProgress progress) =>
    [
        .. s.Members.Select((m, rank) => View(progress.Of(m), rank)),
        .. progress.Workers
            .Where(w => w.LeavesComputed > 0 && !s.Members.Any(m => WorkerProgress.ProcessOf(m) == w.Process))
            .Select(w => View(w, rank: -1)),
    ];

    private static JobWorkerView View(WorkerProgress worker, int rank) =>
        new(worker.Id, worker.ProcessId, rank, worker.LeavesComputed, worker.Round);
}
