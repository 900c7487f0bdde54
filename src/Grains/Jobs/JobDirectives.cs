using System.Collections.Immutable;
using Cluster.Contracts.Jobs;

namespace Cluster.Grains.Jobs;

/// <summary>What each worker should be doing in a state of its job: the answer to every heartbeat.</summary>
internal static class JobDirectives
{
    /// <param name="report">What the worker last said of this job; null when it knows nothing of it.</param>
    /// <param name="absorbedRound">Samples up to this round are known.</param>
    /// <param name="storedRound">Samples up to this round are safe.</param>
    public static Directive For(JobGrainState s, string jobId, WorkerInfo worker, JobReport? report, long absorbedRound, long storedRound)
    {
        if (!s.TakesWorkers)
        {
            return new Directive.Idle($"job {jobId} is {s.State}: {s.Reason}");
        }

        if (s.RankOf(worker) is >= 0 and var rank)
        {
            return report?.Known == s.Generation
                ? new Directive.Continue(s.WantsStop, absorbedRound, storedRound)
                : new Directive.Train(new(jobId, s.Generation, rank, s.Members, s.Secret, s.Effective!, s.IsRecovery), s.WantsStop);
        }

        // It goes on in the generation before until all ranks have changed over: they still need what it computes and sends.
        if (s.WasMember(worker) && report?.Generation == s.Generation - 1)
        {
            return new Directive.Continue(s.WantsStop, absorbedRound, storedRound);
        }

        if (s.IsGranted(worker))
        {
            return report switch
            {
                // It failed in an earlier life of the job, before somebody resumed that: it starts from nothing, as others do.
                { IsReady: true, Outcome.State: JobState.Failed } => new Directive.Idle($"job {jobId} was resumed: begin anew"),
                { IsReady: true } when report.Version == s.Effective!.Version => new Directive.Continue(Stop: false, absorbedRound, storedRound),
                _ => new Directive.Prepare(jobId, s.Effective!),
            };
        }

        return new Directive.Idle($"job {jobId} runs without {worker.Id}");
    }

    /// <summary>Ids of the workers for which the answer is another one now.</summary>
    public static IEnumerable<string> WithNews(JobGrainState before, JobGrainState after)
    {
        var all = before.Generation != after.Generation || before.GrantVersion != after.GrantVersion
            || before.TakesWorkers != after.TakesWorkers || before.WantsStop != after.WantsStop || before.Effective?.Version != after.Effective?.Version;
        return all
            ? before.Workers.Concat(after.Workers).Select(w => w.Id).Distinct()
            : after.Suspects.Except(before.Suspects); // No news, but a reason to ask whether they live.
    }
}
