namespace Cluster.Contracts.Spec;

/// <summary>
/// A part of a job. What it leaves out it takes from the job: <see cref="Schedule"/> and <see cref="Scaling"/> whole, and of
/// <see cref="Epochs"/> and <see cref="Rounds"/> whichever the job has, unless it gives one of them.
/// </summary>
public sealed record StageSpec
{
    /// <summary>By default <c>stage-1</c>, <c>stage-2</c> and so on.</summary>
    [Name, OutsideAnswer]
    public string? Name { get; init; }

    [AtLeast(1), AtMost(16_777_216)]
    public int? Batch { get; init; }

    [AtLeast(1), AtMost(16_777_216)]
    public int? Leaf { get; init; }

    [Above(0), AtMost(1_000_000)]
    public double? Epochs { get; init; }

    [AtLeast(1), AtMost(1_000_000_000)]
    public long? Rounds { get; init; }

    [AtLeast(2), AtMost(1_048_576)]
    public int? Sequence { get; init; }

    public ScheduleSpec? Schedule { get; init; }

    public ScalingSpec? Scaling { get; init; }

    /// <summary>What happens to the optimiser's moments when this stage begins.</summary>
    public MomentPolicy Moments { get; init; } = MomentPolicy.Keep;
}

public enum MomentPolicy
{
    Keep,

    /// <summary>Moments and the step count of the bias correction begin at zero again.</summary>
    Reset,
}
