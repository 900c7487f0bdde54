using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
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
/// <remarks>
/// The last property of the file, <c>sha256</c>, seals it: it is the SHA-256 of all bytes before the comma that precedes it,
/// so that a flipped bit in a counter is found just as one in a weight.
/// </remarks>
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

    /// <summary>Folder name of the checkpoint before it in this job, or in its line where there are several; null for the first.</summary>
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

    private static readonly JsonSerializerOptions Json = new(JsonSerializerOptions.Strict)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The file's bytes, sealed.</summary>
    public byte[] Encode()
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(this, Json)[..^"\n}".Length];
        return [.. body, .. Seal(body)];
    }

    /// <exception cref="InvalidDataException">Not a manifest that this version reads, or one that was changed; the message says which.</exception>
    public static CheckpointManifest Decode(ReadOnlySpan<byte> file)
    {
        var bytes = file.ToArray();
        try
        {
            CheckVersion(bytes);
            var sealBytes = Seal([]).Length;
            if (bytes.Length < sealBytes || !bytes.AsSpan(^sealBytes..).SequenceEqual(Seal(bytes.AsSpan(..^sealBytes))))
            {
                throw new InvalidDataException($"{JobLayout.Manifest} was changed after it was written (its own sha256 does not match)");
            }

            byte[] body = [.. bytes[..^sealBytes], .. "\n}"u8];
            var manifest = JsonSerializer.Deserialize<CheckpointManifest>(body, Json)!;
            manifest.CheckFiles();
            return manifest;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // The latter: text that is not UTF-8.
        {
            throw new InvalidDataException($"{JobLayout.Manifest} is not valid JSON ({e.Message})", e);
        }
    }

    private static byte[] Seal(ReadOnlySpan<byte> body) =>
        Encoding.UTF8.GetBytes($",\n  \"sha256\": \"{Convert.ToHexStringLower(SHA256.HashData(body))}\"\n}}\n");

    /// <summary>First of all, because a later version may change everything else.</summary>
    private static void CheckVersion(byte[] bytes)
    {
        using var document = JsonDocument.Parse(bytes);
        if (document.RootElement.ValueKind != JsonValueKind.Object
            || !document.RootElement.TryGetProperty("formatVersion", out var element)
            || element.ValueKind != JsonValueKind.Number || !element.TryGetInt32(out var version))
        {
            throw new InvalidDataException($"{JobLayout.Manifest} has no formatVersion, so it is no checkpoint's manifest");
        }

        if (version != CurrentFormat)
        {
            throw new InvalidDataException($"{JobLayout.Manifest} has format version {version}; this version of Cluster reads version {CurrentFormat}");
        }
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
