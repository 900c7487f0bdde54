using System.CommandLine;
using Cluster.Client;
using Cluster.Contracts.Api;
using Cluster.Contracts.Jobs;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster drain WORKER</c>: takes a worker out of service, without loss of a round.</summary>
internal static class DrainVerb
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(250);

    public static Command Create()
    {
        var wait = new Option<bool>("--wait") { Description = "Returns when the worker serves no job any more." };
        return ClusterVerb.Create("drain", "Takes a worker from its job at the end of a round, and gives it no other.", [VerbOptions.Worker, wait], async (client, parsed, output, cancellationToken) =>
        {
            var worker = await client.DrainAsync(parsed.GetRequiredValue(VerbOptions.Worker), cancellationToken);
            if (parsed.GetValue(wait)) { worker = await FreeAsync(client, worker, cancellationToken); }
            return output.Answer(worker, ApiJson.Default.PoolWorkerView, o => o.Line($"{worker.Worker.Id}: {WorkersVerb.Doing(worker)}"));
        });
    }

    /// <summary>The worker when it serves no job; one that is gone serves none either.</summary>
    private static async Task<PoolWorkerView> FreeAsync(ClusterClient client, PoolWorkerView worker, CancellationToken cancellationToken)
    {
        using var period = new PeriodicTimer(Period);
        while (worker.JobId is not null)
        {
            await period.WaitForNextTickAsync(cancellationToken);
            var workers = await client.WorkersAsync(cancellationToken);
            worker = workers.FirstOrDefault(w => w.Worker.Id == worker.Worker.Id) ?? worker with { JobId = null };
        }

        return worker;
    }
}
