using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Cluster.Contracts.Jobs;

namespace Cluster.Contracts.Lineage;

/// <summary>The lineage of a continual job as people see it.</summary>
/// <param name="Stages">Names of its stages, in order.</param>
/// <param name="Checkpoints">Those that are kept, oldest first; then those of its branches that are jobs of their own, by fork.</param>
/// <param name="Evaluations">Each round once, oldest first.</param>
/// <param name="Matrix">Over the stages that have ended, releases that annealed apart included; null before the first has.</param>
public sealed record LineageView(
    string JobId,
    ImmutableArray<string> Stages,
    ImmutableArray<LineageCheckpoint> Checkpoints,
    ImmutableArray<EvaluationRecord> Evaluations,
    ForgettingMatrix? Matrix)
{
    /// <summary>Stages and releases that were ordered after it was submitted, and what became of them; oldest first.</summary>
    public ImmutableArray<JobOrder> Orders { get; init; } = [];

    /// <summary>The rate of each round, those to come included.</summary>
    public ScheduleCurve? Schedule { get; init; }
}

/// <param name="Name">Of its folder.</param>
/// <param name="Round">The job's rounds committed.</param>
/// <param name="Parent">Folder name of the checkpoint from which it follows; that one may be gone. Null for the first.</param>
public sealed record LineageCheckpoint(string Name, long Round, string? Parent, string SpecHash, string WeightsSha256, LineageNode Node)
{
    /// <summary>The job that has it, where that is a branch of its own; null otherwise.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Job { get; init; }
}
