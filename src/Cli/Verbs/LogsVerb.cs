using System.CommandLine;
using Cluster.Client;
using Cluster.Contracts.Api;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster logs JOB</c>: what the workers of a job wrote.</summary>
internal static class LogsVerb
{
    public static Command Create()
    {
        var follow = new Option<bool>("--follow", "-f") { Description = "Shows new lines as they come, until the job has ended." };
        var worker = new Option<string?>("--worker") { Description = "Only the log of this worker.", HelpName = "ID" };
        return ClusterVerb.Create("logs", "Shows the logs of a job's workers.", [VerbOptions.Job, follow, worker], async (client, parsed, output, cancellationToken) =>
        {
            var (jobId, only) = (parsed.GetRequiredValue(VerbOptions.Job), parsed.GetValue(worker));
            if (parsed.GetValue(follow))
            {
                await foreach (var line in client.FollowLogsAsync(jobId, only, cancellationToken)) { Write(line, output); }
                return ExitCodes.Succeeded;
            }

            var page = await client.LogsAsync(jobId, only, cancellationToken);
            if (page.IsTruncated) { await Console.Error.WriteLineAsync("Older lines are left out."); }
            foreach (var line in page.Lines) { Write(line, output); }
            return ExitCodes.Succeeded;
        });
    }

    private static void Write(LogLine line, Output output) =>
        output.Answer(line, ApiJson.Default.LogLine, _ => Console.Out.WriteLine($"{line.Worker} | {line.Text}"));
}
