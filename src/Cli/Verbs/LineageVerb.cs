using System.CommandLine;
using Cluster.Cli.Continual;
using Cluster.Contracts;
using Cluster.Contracts.Api;
using Cluster.Dashboard.Jobs;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster lineage JOB</c>: where a continual job's checkpoints come from, and what was forgotten.</summary>
internal static class LineageVerb
{
    public static Command Create()
    {
        var job = new Argument<string>("job") { Description = "The job's id, or the path of its folder in a store." };
        return ClusterVerb.Create("lineage", "Shows the trunk and the releases of a continual job, and its forgetting matrix.", [job], async (client, parsed, output, cancellationToken) =>
        {
            var name = parsed.GetRequiredValue(job);
            var lineage = Directory.Exists(Path.Combine(name, JobLayout.Checkpoints))
                ? LineageFolder.Read(name) ?? throw new BadInputException($"{name} is not the folder of a continual job")
                : await client.LineageAsync(name, cancellationToken);
            return output.Answer(lineage, ApiJson.Default.LineageView, o => o.Show(LineageScreen.All(lineage)));
        });
    }
}
