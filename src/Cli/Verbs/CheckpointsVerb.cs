using System.CommandLine;
using Cluster.Contracts.Api;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster checkpoints JOB</c>: what of a job is safe on disk.</summary>
internal static class CheckpointsVerb
{
    public static Command Create() =>
        ClusterVerb.Create("checkpoints", "Lists the checkpoints of a job, newest first.", [VerbOptions.Job], async (client, parsed, output, cancellationToken) =>
        {
            var checkpoints = await client.CheckpointsAsync(parsed.GetRequiredValue(VerbOptions.Job), cancellationToken);
            return output.Answer(checkpoints, ApiJson.Default.ImmutableArrayCheckpointView, o => o.Table(
                ["round", "samples", "bytes", "written", "folder", "weights"],
                checkpoints.Select(Row)));
        });

    private static IReadOnlyList<string> Row(CheckpointView checkpoint) =>
    [
        Output.Number(checkpoint.Round),
        Output.Number(checkpoint.SamplesSeen),
        Output.Number(checkpoint.Bytes),
        checkpoint.Written is { } written ? Output.Time(written.UtcDateTime) : "",
        checkpoint.Path,
        checkpoint.Problem ?? checkpoint.WeightsSha256 ?? "",
    ];
}
