using System.Collections.Immutable;

namespace Cluster.Trainer.Core.Checkpoints;

/// <summary>What <c>cluster inspect PATH</c> shows.</summary>
/// <param name="Path">Of the checkpoint or file described; for a job, of its newest intact checkpoint.</param>
/// <param name="Manifest">Null for a bare safetensors file, and when the manifest is missing or damaged.</param>
/// <param name="Parameters">Of the model: trained numbers, without statistics. Null when nothing says it.</param>
/// <param name="Files">The checkpoint's files, or the one file.</param>
/// <param name="Tensors">Of the model, or of the one file.</param>
/// <param name="Metadata">What the safetensors file says about itself.</param>
/// <param name="Problems">What is wrong, in words; empty means that every hash was verified.</param>
/// <param name="Checkpoints">All checkpoints of the job, newest first, when the path was a job's; else empty.</param>
internal sealed record CheckpointReport(
    string Path,
    CheckpointManifest? Manifest,
    long? Parameters,
    ImmutableArray<FileReport> Files,
    ImmutableArray<TensorReport> Tensors,
    ImmutableSortedDictionary<string, string> Metadata,
    ImmutableArray<string> Problems,
    ImmutableArray<CheckpointLine> Checkpoints);

/// <param name="Sha256">As found; null when it could not be read.</param>
/// <param name="Problem">Null when size and hash are the manifest's, or when there is no manifest to say.</param>
internal sealed record FileReport(string Name, long Bytes, string? Sha256, string? Problem);

/// <summary>Statistics over the finite values; zero when there are none.</summary>
/// <param name="Dtype">As the format names it: F32.</param>
/// <param name="NonFinite">NaNs and infinities.</param>
internal sealed record TensorReport(
    string Name, ImmutableArray<long> Shape, string Dtype, double Mean, double Rms, float Min, float Max, long NonFinite);

/// <summary>One checkpoint of a job.</summary>
/// <param name="Problem">Why it is not intact; null when it is.</param>
internal sealed record CheckpointLine(string Path, long Round, long Bytes, string? Problem);
