using System.CommandLine;
using Cluster.Contracts.Api;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster resume JOB</c>: a job that is paused, failed or cancelled goes on.</summary>
internal static class ResumeVerb
{
    public static Command Create() =>
        ClusterVerb.Create("resume", "Lets a paused, failed or cancelled job go on from its newest checkpoint.", [VerbOptions.Job], async (client, parsed, output, cancellationToken) =>
        {
            var job = await client.ResumeAsync(parsed.GetRequiredValue(VerbOptions.Job), cancellationToken);
            return output.Answer(job, ApiJson.Default.JobSummary, o => o.Line($"{job.JobId} is {job.State}: {job.Reason}"));
        });
}
