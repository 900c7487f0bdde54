using System.Collections.Immutable;

namespace Cluster.Trainer.Core.Checkpoints;

/// <summary>What became of one snapshot.</summary>
internal abstract record CheckpointResult
{
    private CheckpointResult() { }

    public required long Round { get; init; }

    /// <summary>Things beside it that a person should read, such as an old checkpoint that could not be deleted.</summary>
    public ImmutableArray<string> Notices { get; init; } = [];

    /// <summary>It is whole and safe on disk.</summary>
    /// <param name="Bytes">Written; 0 when the same checkpoint was there already.</param>
    /// <param name="CopyTime">How long the training thread stood still.</param>
    /// <param name="WriteTime">How long the background took, syncing included.</param>
    internal sealed record Saved(string Path, string WeightsSha256, long Bytes, TimeSpan CopyTime, TimeSpan WriteTime) : CheckpointResult;

    /// <summary>It is not safe on disk; the checkpoints before it are as they were.</summary>
    /// <param name="Reason">A sentence for people.</param>
    internal sealed record Failed(string Reason) : CheckpointResult;
}

/// <summary>A checkpoint that had to be written could not be.</summary>
internal sealed class CheckpointFailedException(string message) : Exception(message);
