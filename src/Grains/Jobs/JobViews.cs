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
            Reason: s.State is JobState.Waiting && queuePlace is not null ? queuePlace : s.Reason,
            s.Generation,
            Recoveries: 0, // Membership is fixed for the life of a job: a lost worker fails it.
            progress.Round,
            progress.Rounds,
            progress.SamplesSeen,
            progress.SkippedRounds,
            progress.Checkpoint,
            JobMachine.AgreedHash(s),
            Workers: [.. s.Members.Select((m, rank) => new JobWorkerView(m.Id, m.ProcessId, rank, progress.Of(rank).Leaves, progress.Of(rank).Round))],
            progress.Metrics,
            Environment: s.Outcomes.FirstOrDefault(o => o is not null)?.Environment ?? ImmutableDictionary<string, string>.Empty,
            samples,
            last,
            progress.Notices,
            progress.SamplesPerSecond);
    }
}
