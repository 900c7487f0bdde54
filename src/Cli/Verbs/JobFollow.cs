using System.Diagnostics;
using Cluster.Cli.Run;
using Cluster.Client;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Spec;

namespace Cluster.Cli.Verbs;

/// <summary>Shows a job of a cluster until it has ended, as <c>cluster run</c> shows its own. Ctrl-C leaves; the job goes on.</summary>
internal static class JobFollow
{
    /// <returns>The exit code of the job's end.</returns>
    public static async Task<int> RunAsync(ClusterClient client, string jobId, Output output, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        var job = await client.ShowAsync(jobId, cancellationToken);
        var spec = SpecReader.Read(job.Submission!.SpecText, jobId).Require(); // A job that is known was submitted.
        var members = job.Workers.Count(w => w.Rank >= 0);
        var screen = RunScreen.Create(spec, jobId, members > 0 ? members : job.Submission.MinWorkers, quiet: output.IsJson);

        var last = await screen.FollowAsync(client.WatchAsync(jobId, cancellationToken));
        var report = RunReport.Of(last, jobId, SpecSummary.MethodOf(spec), Wall(last) ?? Stopwatch.GetElapsedTime(began));
        screen.Finish(report, $"cluster resume {jobId}");
        if (output.IsJson) { Console.Out.WriteLine(report.ToJson()); }
        return ExitCodes.Of(last.State);
    }

    /// <summary>From the first thing that is known to have happened to the job to the last.</summary>
    private static TimeSpan? Wall(JobView job) => job.Events is [var first, .., var last] ? last.Time - first.Time : null;
}
