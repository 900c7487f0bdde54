using Cluster.Contracts.Jobs;
using Cluster.Grains.Jobs;

namespace Cluster.Tests.Control;

/// <summary>Everything works again: a pool that gives workers, a person who resumes, and workers that do as they are told.</summary>
internal sealed class ObedientWorkers(JobStory story, Random random)
{
    private readonly Dictionary<string, JobReport?> _reports = [];

    /// <summary>Each of the job's workers speaks once, in random order, and acts on the answer. Stops after each event.</summary>
    public IEnumerable<string> Beat()
    {
        switch (story.State)
        {
            case { State: JobState.Unknown }: story.Submit(2, 5); break;
            case { State: JobState.Paused }: story.Resume(); break;
            case { State: JobState.Waiting, Granted.IsEmpty: true }: story.Grant(Some.Workers("w0", "w1"), story.State.GrantVersion + 1); break;
        }

        yield return "pool and people";

        foreach (var worker in story.State.Workers.OrderBy(_ => random.Next()).ToArray())
        {
            // At first, some hold nothing, some are in the generation before, some in the newest.
            if (!_reports.TryGetValue(worker.Id, out var report))
            {
                var generation = Math.Max(0, story.State.Generation - random.Next(2));
                report = random.Next(3) == 0 ? null : story.Says(generation) with { Known = story.State.RankOf(worker) >= 0 ? generation : 0 };
            }

            story.Hear(worker.Id, report);
            yield return worker.Id;
            _reports[worker.Id] = Act(JobDirectives.For(story.State, "job", worker, report, 0, 0), report);
        }
    }

    /// <summary>What the worker has to say the next time.</summary>
    private JobReport? Act(Directive directive, JobReport? report) => directive switch
    {
        Directive.Prepare prepare => Some.Report("job", story.Round, generation: 0) with { Version = prepare.Submission.Version },
        Directive.Train train => Some.Report("job", story.Round, train.Assignment.Generation) with { Version = train.Assignment.Submission.Version },
        Directive.Continue { Stop: true } when report is { Generation: > 0 } => report with { Outcome = Some.Cancelled() },
        Directive.Continue when report!.Generation > 0 && report.Generation == report.Known && random.Next(3) == 0 => report with { Outcome = Some.Succeeded() },
        Directive.Continue => report,
        _ => null,
    };
}
