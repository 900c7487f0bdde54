using System.CommandLine;
using Cluster.Client;
using Cluster.Contracts.Api;
using Cluster.Contracts.Jobs;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster watch JOB</c>: the job's screen until it has ended; with <c>--json</c> a line for each change.</summary>
internal static class WatchVerb
{
    public static Command Create() =>
        ClusterVerb.Create("watch", "Watches a job until it has ended.", [VerbOptions.Job], (client, parsed, output, cancellationToken) =>
        {
            var jobId = parsed.GetRequiredValue(VerbOptions.Job);
            return output.IsJson ? WriteAsync(client, jobId, output, cancellationToken) : JobFollow.RunAsync(client, jobId, output, cancellationToken);
        });

    private static async Task<int> WriteAsync(ClusterClient client, string jobId, Output output, CancellationToken cancellationToken)
    {
        var state = JobState.Unknown;
        await foreach (var view in client.WatchAsync(jobId, cancellationToken))
        {
            output.Answer(view, ApiJson.Default.JobView, _ => { });
            state = view.State;
        }

        return ExitCodes.Of(state);
    }
}
