using System.Collections.Immutable;
using Cluster.Contracts;
using Cluster.Contracts.Lineage;

namespace Cluster.Trainer.Core.Checkpoints;

/// <summary>What every checkpoint of one job says about it.</summary>
/// <param name="Id">The job's id.</param>
/// <param name="SpecName">The spec's <c>name</c>.</param>
/// <param name="SpecHash">Hash of the spec keys that determine the weights.</param>
/// <param name="SpecText">The effective spec as YAML.</param>
/// <param name="Environment">What the answer may depend on: processor, libraries, versions.</param>
internal sealed record CheckpointJob(
    string Id, string SpecName, string Method, string SpecHash, string SpecText, IReadOnlyDictionary<string, string> Environment)
{
    /// <summary>What the job was before orders made its spec longer.</summary>
    public ImmutableArray<EarlierSpec> Earlier { get; init; } = [];

    /// <summary>Whether a checkpoint is of this job, as it is or as it was.</summary>
    public bool Has(CheckpointManifest manifest) => manifest.Job == Id && (manifest.SpecHash == SpecHash || Earlier.Any(earlier => earlier.Hash == manifest.SpecHash));
}

/// <param name="Hash">Of a spec that the job had before.</param>
/// <param name="AgreesUntil">Up to so many rounds it gives the same states as the one that the job has now.</param>
internal sealed record EarlierSpec(string Hash, long AgreesUntil);

/// <summary>One file beside the manifest.</summary>
/// <param name="Name">A plain file name.</param>
internal sealed record ManifestFile(string Name, long Bytes, string Sha256);

/// <summary>manifest.json: what a checkpoint is, and by which its other files are checked.</summary>
/// <remarks>It is sealed (<see cref="SealedJson"/>).</remarks>
internal sealed record CheckpointManifest
{
    public const int CurrentFormat = 1;

    /// <summary>A manifest is a few kilobytes; more is something else.</summary>
    public const int MaxBytes = 4 << 20;

    public required int FormatVersion { get; init; }

    public required string Job { get; init; }

    public required string SpecName { get; init; }

    public required string Method { get; init; }

    public required string SpecHash { get; init; }

    /// <summary>Rounds committed.</summary>
    public required long Round { get; init; }

    /// <summary>Folder name of the checkpoint before it in this job, or in its line where there are several; null for the first. Of a branch that is a job of its own, the first names the trunk's at the fork.</summary>
    public required string? Parent { get; init; }

    /// <summary>What it is among the job's lines of states; null where there is only one.</summary>
    public LineageNode? Lineage { get; init; }

    public required long SamplesSeen { get; init; }

    /// <summary>The method's exact numbers.</summary>
    public required ImmutableSortedDictionary<string, long> Counters { get; init; }

    /// <summary>Parameters of the model: the first so many floats of model.safetensors.</summary>
    public required long Parameters { get; init; }

    /// <summary>See <see cref="WeightsHash"/>.</summary>
    public required string WeightsSha256 { get; init; }

    /// <summary>For people; nothing depends on it.</summary>
    public required DateTimeOffset WrittenUtc { get; init; }

    public required ImmutableArray<ManifestFile> Files { get; init; }

    public required ImmutableSortedDictionary<string, string> Environment { get; init; }

    /// <summary>The file's bytes, sealed.</summary>
    public byte[] Encode() => SealedJson.Encode(this);

    /// <exception cref="InvalidDataException">Not a manifest that this version reads, or one that was changed; the message says which.</exception>
    public static CheckpointManifest Decode(ReadOnlySpan<byte> file)
    {
        var manifest = SealedJson.Decode<CheckpointManifest>(file, JobLayout.Manifest, CurrentFormat, "checkpoint");
        manifest.CheckFiles();
        return manifest;
    }

    /// <summary>A manifest names exactly its neighbours: no path may lead out of the checkpoint.</summary>
    private void CheckFiles()
    {
        var wanted = JobLayout.CheckpointFiles.Where(name => name != JobLayout.Manifest).ToArray();
        foreach (var file in Files)
        {
            if (!wanted.Contains(file.Name)) { throw new InvalidDataException($"{JobLayout.Manifest} names '{file.Name}'; only {string.Join(", ", wanted)} are allowed"); }
        }

        if (!Files.Select(f => f.Name).Order().SequenceEqual(wanted.Order()))
        {
            throw new InvalidDataException($"{JobLayout.Manifest} must name each of {string.Join(", ", wanted)} once");
        }
    }
}
