using System.CommandLine;
using System.Globalization;
using Cluster.Contracts.Api;
using Cluster.Contracts.Jobs;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster workers</c>: who is there, and what they do.</summary>
internal static class WorkersVerb
{
    public static Command Create() =>
        ClusterVerb.Create("workers", "Lists workers and what they do.", [], async (client, _, output, cancellationToken) =>
        {
            var workers = await client.WorkersAsync(cancellationToken);
            return output.Answer(workers, ApiJson.Default.ImmutableArrayPoolWorkerView, o => o.Table(
                ["worker", "job", "address", "process", "cores", "gpus", "memory", "labels"],
                workers.Select(Row)));
        });

    /// <summary>What the worker does: the job it serves, or why it serves none.</summary>
    public static string Doing(PoolWorkerView worker) => (worker.JobId, worker.IsDraining) switch
    {
        ({ } job, true) => $"{job} (draining)",
        ({ } job, false) => job,
        (null, true) => "drained",
        (null, false) => "idle",
    };

    private static IReadOnlyList<string> Row(PoolWorkerView view) =>
    [
        view.Worker.Id,
        Doing(view),
        string.Create(CultureInfo.InvariantCulture, $"{view.Worker.Host}:{view.Worker.Port}"),
        view.Worker.ProcessId.ToString(CultureInfo.InvariantCulture),
        view.Worker.Cores.ToString(CultureInfo.InvariantCulture),
        view.Worker.Gpus.ToString(CultureInfo.InvariantCulture),
        string.Create(CultureInfo.InvariantCulture, $"{view.Worker.MemoryBytes / (double)(1 << 30):F1} GiB"),
        view.Worker.Labels,
    ];
}
