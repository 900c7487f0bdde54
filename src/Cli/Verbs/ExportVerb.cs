using System.Collections.Immutable;
using System.CommandLine;
using System.Security.Cryptography;
using Cluster.Client;
using Cluster.Contracts;
using Cluster.Contracts.Api;
using Cluster.Trainer.Core.Checkpoints;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster export JOB PATH</c>: a trained model out of the cluster, every byte checked against its manifest; or a job's curves.</summary>
internal static class ExportVerb
{
    private const string ModelFormat = "model";

    public static Command Create()
    {
        var path = new Argument<string>("path") { Description = "Of a model: a file name ending in .safetensors, or a folder. Of curves: a file; for TensorBoard a folder." };
        var round = new Option<long?>("--round") { Description = "Of the checkpoint; by default the newest.", HelpName = "N" };
        var format = new Option<string>("--format") { Description = "What to write: the model, or the job's curves for other programs.", DefaultValueFactory = _ => ModelFormat };
        format.AcceptOnlyFromAmong([ModelFormat, .. CurveExport.Formats]);
        return ClusterVerb.Create("export", "Copies the model of a checkpoint, and its manifest; or writes the job's curves.", [VerbOptions.Job, path, round, format], async (client, parsed, output, cancellationToken) =>
        {
            var jobId = parsed.GetRequiredValue(VerbOptions.Job);
            if (parsed.GetRequiredValue(format) is var chosen and not ModelFormat)
            {
                if (parsed.GetValue(round) is not null) { throw new BadInputException($"--round is for a model: {chosen} has all rounds of {jobId}"); }
                var written = await CurveExport.WriteAsync(client, jobId, chosen, parsed.GetRequiredValue(path), cancellationToken);
                return output.Answer(written, CurveVerbJson.Default.CurveFile, o => o.Line($"{written.Path}: {written.Curves} {(written.Curves == 1 ? "curve" : "curves")} of {jobId}, {written.Points} points of {(written.RoundsPerPoint == 1 ? "a round" : $"{Output.Number(written.RoundsPerPoint)} rounds")} each"));
            }

            var checkpoint = Choose(jobId, await client.CheckpointsAsync(jobId, cancellationToken), parsed.GetValue(round));
            var model = await CopyAsync(client, jobId, checkpoint.Round, parsed.GetRequiredValue(path), cancellationToken);
            return output.Answer(checkpoint with { Path = model }, ApiJson.Default.CheckpointView, o => o.Line($"{model}: round {Output.Number(checkpoint.Round)} of {jobId}, intact"));
        });
    }

    /// <exception cref="BadInputException">There is none, or it is damaged.</exception>
    private static CheckpointView Choose(string jobId, ImmutableArray<CheckpointView> checkpoints, long? round)
    {
        var chosen = round is null ? checkpoints.FirstOrDefault(c => c.Problem is null) : checkpoints.FirstOrDefault(c => c.Round == round);
        if (chosen is { Problem: null }) { return chosen; }
        var there = checkpoints.IsEmpty ? "it has none" : $"it has those of the rounds {string.Join(", ", checkpoints.Select(c => c.Problem is null ? $"{c.Round}" : $"{c.Round} (damaged: {c.Problem})"))}";
        throw new BadInputException($"job {jobId} has no usable checkpoint{(round is null ? "" : $" of round {round}")}: {there}");
    }

    /// <summary>A file appears under its name whole and checked, or not at all.</summary>
    /// <returns>Full path of the model.</returns>
    private static async Task<string> CopyAsync(ClusterClient client, string jobId, long round, string path, CancellationToken cancellationToken)
    {
        var model = Path.GetFullPath(path.EndsWith(".safetensors", StringComparison.Ordinal) ? path : Path.Combine(path, JobLayout.Model));
        var manifestPath = path.EndsWith(".safetensors", StringComparison.Ordinal) ? $"{model}.{JobLayout.Manifest}" : Path.Combine(Path.GetDirectoryName(model)!, JobLayout.Manifest);
        using var manifestBytes = new MemoryStream();
        await client.DownloadAsync(jobId, round, JobLayout.Manifest, manifestBytes, cancellationToken);
        var expected = Decode(manifestBytes.ToArray()).Files.First(file => file.Name == JobLayout.Model);
        await WholeFile.WriteAsync(model, async file =>
        {
            await client.DownloadAsync(jobId, round, JobLayout.Model, file, cancellationToken);
            file.Position = 0;
            var found = new ManifestFile(expected.Name, file.Length, Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellationToken)));
            if (Checkpoint.Difference(found, expected) is { } difference) { throw new BadInputException($"the checkpoint is damaged: {difference}"); }
        });
        await File.WriteAllBytesAsync(manifestPath, manifestBytes.ToArray(), cancellationToken);
        return model;
    }

    private static CheckpointManifest Decode(byte[] bytes)
    {
        try
        {
            return CheckpointManifest.Decode(bytes);
        }
        catch (InvalidDataException e)
        {
            throw new BadInputException($"the checkpoint is damaged: {e.Message}");
        }
    }
}
