using System.Collections.Immutable;

namespace Cluster.Contracts.Api;

/// <summary>A checkpoint as its manifest describes it. Sizes are compared with the files; their bytes are not read.</summary>
/// <param name="Round">Rounds committed.</param>
/// <param name="Path">Its folder, as the cluster sees it.</param>
/// <param name="Bytes">Of all its files.</param>
/// <param name="Written">For people; null when the manifest cannot be read. So is the next.</param>
/// <param name="WeightsSha256">SHA-256 of the flat float32 parameters, little-endian, in layout order.</param>
/// <param name="Files">The files beside the manifest.</param>
/// <param name="Problem">Why it cannot be used, in words; null when nothing is seen to be wrong with it.</param>
public sealed record CheckpointView(
    long Round,
    string Path,
    long SamplesSeen,
    long Bytes,
    DateTimeOffset? Written,
    string? WeightsSha256,
    ImmutableArray<CheckpointFile> Files,
    string? Problem);

/// <param name="Sha256">64 lower-case hex digits.</param>
public sealed record CheckpointFile(string Name, long Bytes, string Sha256);
