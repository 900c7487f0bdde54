using System.CommandLine;
using Cluster.Contracts.Api;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster cancel JOB</c>: asks a job to end at a checkpoint.</summary>
internal static class CancelVerb
{
    public static Command Create() =>
        ClusterVerb.Create("cancel", "Asks a job to end at a checkpoint.", [VerbOptions.Job, VerbOptions.Reason], async (client, parsed, output, cancellationToken) =>
        {
            var job = await client.CancelAsync(parsed.GetRequiredValue(VerbOptions.Job), parsed.GetValue(VerbOptions.Reason), cancellationToken);
            return output.Answer(job, ApiJson.Default.JobSummary, o => o.Line($"{job.JobId} is {job.State}: {job.Reason}"));
        });
}
