using System.CommandLine;
using Cluster.Contracts.Api;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster undrain WORKER</c>: the worker takes work again.</summary>
internal static class UndrainVerb
{
    public static Command Create() =>
        ClusterVerb.Create("undrain", "Lets a drained worker take work again.", [VerbOptions.Worker], async (client, parsed, output, cancellationToken) =>
        {
            var worker = await client.UndrainAsync(parsed.GetRequiredValue(VerbOptions.Worker), cancellationToken);
            return output.Answer(worker, ApiJson.Default.PoolWorkerView, o => o.Line($"{worker.Worker.Id}: {WorkersVerb.Doing(worker)}"));
        });
}
