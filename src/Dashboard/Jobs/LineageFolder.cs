using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cluster.Contracts;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Lineage;
using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Continual;

namespace Cluster.Dashboard.Jobs;

/// <summary>
/// The lineage of a continual job, from its folder: the spec, the manifests of its checkpoints, and its evaluations. So with the folders of
/// its branches that are jobs of their own, which lie beside it.
/// </summary>
public static partial class LineageFolder
{
    /// <summary>More than a job of years has; what follows is left out.</summary>
    private const int MaxEvaluations = 100_000;

    private const int MaxManifestBytes = 4 << 20;

    /// <param name="path">The job's folder.</param>
    /// <returns>Null when it is no continual job's.</returns>
    public static LineageView? Read(string path)
    {
        var spec = SpecReader.ReadFile(Path.Combine(path, JobLayout.Spec)).Spec;
        if (spec?.Continual is not { } continual) { return null; }

        ImmutableArray<string> stages = [.. continual.Stages.Select(stage => stage.Name)];
        var evaluations = ReadEvaluations(Path.Combine(path, JobLayout.Evaluations));
        string[] branches = [.. BranchJobs.FoldersOf(continual, path)];
        return new(
            Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))), stages,
            [.. ReadCheckpoints(path), .. branches.SelectMany(branch => ReadCheckpoints(branch).Select(checkpoint => checkpoint with { Job = Path.GetFileName(branch) }))],
            evaluations,
            ForgettingMatrix.Of(stages, [.. evaluations, .. branches.SelectMany(branch => ReadEvaluations(Path.Combine(branch, JobLayout.Evaluations)))]))
        {
            Orders = ReadOrders(Path.Combine(path, JobLayout.Orders)),
            Schedule = ScheduleCurve.Of(continual),
        };
    }

    private static ImmutableArray<JobOrder> ReadOrders(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            return JsonSerializer.Deserialize(stream, LineageJson.Default.ImmutableArrayJobOrder) is { IsDefault: false } orders ? orders : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return []; // Most jobs have none.
        }
    }

    private static ImmutableArray<LineageCheckpoint> ReadCheckpoints(string path) =>
    [
        .. from checkpoint in CheckpointFolder.Rounds(Path.Combine(path, JobLayout.Checkpoints))
           let manifest = ReadManifest(Path.Combine(checkpoint.Directory.FullName, JobLayout.Manifest))
           let node = manifest?.Lineage
           where node is not null
           select new LineageCheckpoint(checkpoint.Directory.Name, checkpoint.Round, manifest.Parent, manifest.SpecHash, manifest.WeightsSha256, node),
    ];

    /// <summary>A checkpoint that vanishes meanwhile, or is damaged, is left out: <c>checkpoints</c> and <c>inspect</c> say what is wrong with it.</summary>
    private static LineageManifest? ReadManifest(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            return stream.Length <= MaxManifestBytes ? JsonSerializer.Deserialize(stream, LineageManifestJson.Default.LineageManifest) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>A line that was cut off by a crash is left out: its round was evaluated again.</summary>
    private static ImmutableArray<EvaluationRecord> ReadEvaluations(string path)
    {
        var byRound = new SortedDictionary<long, EvaluationRecord>();
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var reader = new StreamReader(stream);
            while (byRound.Count < MaxEvaluations && reader.ReadLine() is { } line)
            {
                try
                {
                    if (JsonSerializer.Deserialize(line, LineageJson.Default.EvaluationRecord) is { } record) { byRound[record.Round] = record; }
                }
                catch (JsonException)
                {
                    continue;
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [.. byRound.Values]; // Before the first evaluation there is no file.
        }

        return [.. byRound.Values];
    }

    /// <summary>The keys of a manifest that a lineage shows.</summary>
    private sealed record LineageManifest(string? Parent, string SpecHash, string WeightsSha256, LineageNode? Lineage = null);

    [JsonSourceGenerationOptions(
        PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
    [JsonSerializable(typeof(LineageManifest))]
    private sealed partial class LineageManifestJson : JsonSerializerContext;
}
