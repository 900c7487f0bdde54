using System.CommandLine;
using Cluster.Contracts.Api;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster pause JOB</c>: asks a job to stop at a checkpoint and give its workers back, until it is resumed.</summary>
internal static class PauseVerb
{
    public static Command Create() =>
        ClusterVerb.Create("pause", "Asks a job to stop at a checkpoint and give its workers back, until it is resumed.", [VerbOptions.Job, VerbOptions.Reason], async (client, parsed, output, cancellationToken) =>
        {
            var job = await client.PauseAsync(parsed.GetRequiredValue(VerbOptions.Job), parsed.GetValue(VerbOptions.Reason), cancellationToken);
            return output.Answer(job, ApiJson.Default.JobSummary, o => o.Line($"{job.JobId} is {job.State}: {job.Reason}"));
        });
}
