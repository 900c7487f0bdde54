using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Cluster.Contracts.Lineage;

/// <summary>What a state is within a job that has more than one line of states.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<NodeKind>))]
public enum NodeKind
{
    None = 0,

    /// <summary>On the trunk.</summary>
    Trunk,

    /// <summary>On the trunk, at the end of a stage or where a release forks: at the trunk's rate, before any annealing.</summary>
    PreAnneal,

    /// <summary>On a branch, while it anneals.</summary>
    Annealing,

    /// <summary>The end of a branch: annealed, for evaluation and use.</summary>
    Release,

    /// <summary>On the trunk, where a drift was detected and is to be kept.</summary>
    Drift,
}

/// <summary>A state of a continual job and where it comes from. Stands in the manifest of its checkpoint and with its evaluations.</summary>
/// <param name="Stage">Name of the stage in which it lies.</param>
/// <param name="Release">Name of the release whose branch it is on; null on the trunk.</param>
/// <param name="Step">
/// Updates of the trunk up to it, or up to its fork. With <paramref name="BranchStep"/> it is also the cursor in the data: every
/// batch is a function of the two.
/// </param>
/// <param name="BranchStep">Updates since the fork; 0 on the trunk.</param>
/// <param name="Tokens">Training tokens of its line, those before a fork included; for images, samples.</param>
/// <param name="IsStageEnd">The trunk has come to the end of the stage.</param>
/// <param name="Origin">The job's round after which its line began: that of a fork, a release or a stage's end. Null for the first.</param>
public sealed record LineageNode(NodeKind Kind, string Stage, string? Release, long Step, long BranchStep, long Tokens, bool IsStageEnd, long? Origin)
{
    /// <summary>By data set, where it was evaluated.</summary>
    public ImmutableSortedDictionary<string, SetScore>? Scores { get; init; }

    /// <summary>The job of <see cref="Origin"/>, where that is another one: the trunk of a branch that is a job of its own.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? OriginJob { get; init; }

    /// <summary>Evaluated and kept for as long as the job is: what others may begin from, or be compared with.</summary>
    [JsonIgnore]
    public bool IsMilestone => Kind is NodeKind.PreAnneal or NodeKind.Release or NodeKind.Drift;

    [JsonIgnore]
    public bool IsOnBranch => Kind is NodeKind.Annealing or NodeKind.Release;
}

/// <param name="Loss">Mean per predicted token or sample: in nats, or what the model's loss is in.</param>
/// <param name="Accuracy">Share of right predictions, 0 to 1; NaN where none can be right or wrong.</param>
/// <param name="Weight">Predictions, or samples.</param>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public sealed record SetScore(double Loss, double Accuracy, double Weight);

/// <summary>One evaluation of all data sets; a line of the job's <c>evaluations.jsonl</c>.</summary>
/// <param name="Round">Rounds committed.</param>
/// <param name="Node">Null for jobs with one line of states.</param>
/// <param name="Scores">By name of the data set; the empty name where there is only one.</param>
public sealed record EvaluationRecord(long Round, long SamplesSeen, LineageNode? Node, ImmutableSortedDictionary<string, SetScore> Scores)
{
    /// <summary>What else was measured, by name: of a federated job the evaluation at its clients. Not a number where there was none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ImmutableSortedDictionary<string, double>? Values { get; init; }
}
