using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cluster.Contracts;
using Cluster.Contracts.Api;

namespace Cluster.Dashboard.Jobs;

/// <summary>
/// The checkpoints of a job, <c>checkpoints/round-000000120/</c>, as their manifests describe them. Reads no tensor: whether the
/// bytes are intact is for those who use them to check, by the hashes. Links are not followed.
/// </summary>
internal static partial class CheckpointFolder
{
    private const int MaxManifestBytes = 4 << 20;

    /// <summary>Newest first. One that vanishes meanwhile is left out: a running job deletes old ones.</summary>
    public static ImmutableArray<CheckpointView> List(string path)
 =>
    [
        .. from checkpoint in Rounds(path).Reverse()
           let view = View(checkpoint.Directory, checkpoint.Round)
           where view is not null
           select view,
    ];

    /// <summary>The folders of checkpoints, by round; links are none.</summary>
    public static IEnumerable<(DirectoryInfo Directory, long Round)> Rounds(string path)
    {
        var folder = new DirectoryInfo(path);
        return !folder.Exists || folder.LinkTarget is not null ? [] :
            from directory in folder.EnumerateDirectories()
            let round = JobLayout.RoundOf(directory.Name)
            where round is not null && directory.LinkTarget is null
            orderby round
            select (directory, round.Value);
    }

    /// <summary>A file of a checkpoint; null when there is none.</summary>
    public static FileInfo? File(string path, long round, string name)
    {
        var folder = new DirectoryInfo(Path.Combine(path, JobLayout.CheckpointOf(round)));
        var file = new FileInfo(Path.Combine(folder.FullName, name));
        return JobLayout.CheckpointFiles.Contains(name) && file.Exists && folder.LinkTarget is null && file.LinkTarget is null ? file : null;
    }

    private static CheckpointView? View(DirectoryInfo directory, long round)
    {
        try
        {
            var manifest = ReadManifest(Path.Combine(directory.FullName, JobLayout.Manifest));
            var problem = manifest.Files.Select(file => Difference(directory, file)).FirstOrDefault(difference => difference is not null);
            return new(round, directory.FullName, manifest.SamplesSeen, manifest.Files.Sum(f => f.Bytes), manifest.WrittenUtc, manifest.WeightsSha256, manifest.Files, problem);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            directory.Refresh();
            return directory.Exists ? new(round, directory.FullName, 0, 0, Written: null, WeightsSha256: null, [], $"{JobLayout.Manifest} cannot be read: {e.Message}") : null;
        }
    }

    private static Manifest ReadManifest(string path)
    {
        using var stream = System.IO.File.OpenRead(path);
        return stream.Length <= MaxManifestBytes && JsonSerializer.Deserialize(stream, ManifestJson.Default.Manifest) is { Files.IsDefault: false } manifest
            ? manifest
            : throw new JsonException("it is not a manifest");
    }

    private static string? Difference(DirectoryInfo directory, CheckpointFile expected)
    {
        var file = new FileInfo(Path.Combine(directory.FullName, Path.GetFileName(expected.Name)));
        return !file.Exists ? $"{expected.Name} is missing"
            : file.Length != expected.Bytes ? string.Create(CultureInfo.InvariantCulture, $"{expected.Name} has {file.Length:N0} bytes; it was written with {expected.Bytes:N0}")
            : null;
    }

    /// <summary>The keys of a manifest that people ask for.</summary>
    private sealed record Manifest(long SamplesSeen, string WeightsSha256, DateTimeOffset WrittenUtc, ImmutableArray<CheckpointFile> Files);

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
    [JsonSerializable(typeof(Manifest))]
    private sealed partial class ManifestJson : JsonSerializerContext;
}
