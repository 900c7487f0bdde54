namespace Cluster.Contracts.Spec;

/// <summary>The learning rate as a function of the update's number within its stage.</summary>
public sealed record ScheduleSpec
{
    /// <summary>The peak rate η at the end of warm-up. Left out where <see cref="ScalingSpec"/> gives it.</summary>
    [Above(0), AtMost(1_000_000)]
    public double? Lr { get; init; }

    /// <summary>Warm-up length in rounds, at most the stage. At most one of the three warm-up keys; without one there is none.</summary>
    [AtLeast(0), AtMost(1_000_000_000)]
    public long? WarmupRounds { get; init; }

    /// <summary>Warm-up length in passes over the training data.</summary>
    [AtLeast(0), AtMost(1_000_000)]
    public double? WarmupEpochs { get; init; }

    /// <summary>Warm-up length as a share of the stage's rounds.</summary>
    [AtLeast(0), AtMost(1)]
    public double? WarmupShare { get; init; }

    public WarmupConvention Warmup { get; init; } = WarmupConvention.Continuous;

    public DecayKind Decay { get; init; } = DecayKind.Linear;

    /// <summary>Polynomial decay: the exponent.</summary>
    [Above(0), AtMost(100), OnlyWith(nameof(Decay), DecayKind.Polynomial)]
    public double Power { get; init; } = 1;

    /// <summary>The rate at the end of the stage, as a share of the peak.</summary>
    [AtLeast(0), AtMost(1), OnlyWith(nameof(Decay), DecayKind.Linear, DecayKind.Polynomial, DecayKind.Cosine)]
    public double FinalShare { get; init; }
}

/// <summary>Where the rate begins and how warm-up meets decay; published codes differ. n counts updates from 0, W is the warm-up, T the stage.</summary>
public enum WarmupConvention
{
    /// <summary>η·(n+1)/W up to n = W-1, then the decay over the remaining T-W updates: no jump, and no update is lost to a rate of 0.</summary>
    Continuous,

    /// <summary>The author's ResNet code: η·n/W for n ≤ W (the first update has rate 0), then the decay over T-W.</summary>
    FromZero,

    /// <summary>The BERT code: the decay runs from update 0 on its own, so the rate jumps down from η to η·(1-W/T) after warm-up.</summary>
    Independent,
}

public enum DecayKind { Constant, Linear, Polynomial, Cosine }

/// <summary>
/// The untuned large-batch recipe (You et al. 2020, section 4): from the rate at one batch size, the rate at another, and
/// warm-up epochs that grow linearly with the batch.
/// </summary>
public sealed record ScalingSpec
{
    public ScalingRule Rule { get; init; } = ScalingRule.Sqrt;

    public required ScalingBase Base { get; init; }
}

public enum ScalingRule
{
    /// <summary>lr(B) = lr(B0)·√(B/B0).</summary>
    Sqrt,

    /// <summary>lr(B) = lr(B0)·B/B0.</summary>
    Linear,
}

public sealed record ScalingBase
{
    [AtLeast(1), AtMost(16_777_216)]
    public required int Batch { get; init; }

    [Above(0), AtMost(1_000_000)]
    public required double Lr { get; init; }

    /// <summary>Warm-up at the base batch; at batch B it is B/B0 times as many epochs, at most the whole stage.</summary>
    [AtLeast(0), AtMost(1_000_000)]
    public double? WarmupEpochs { get; init; }
}
