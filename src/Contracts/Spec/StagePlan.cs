namespace Cluster.Contracts.Spec;

/// <summary>
/// A stage in numbers: what follows from the spec once the size of the data is known. Letters as in the comments below:
/// <code>
///   N    SamplesPerEpoch    training samples at the stage's sequence length
///   B    Batch              samples per round
///   E    -                  epochs asked for
///   S    Samples            S = round(E·N), or rounds·B where the spec gives rounds
///   T    Rounds             T = ⌈S/B⌉; the last round has S - (T-1)·B samples, so exactly E epochs are seen
///   W    WarmupRounds       0 ≤ W ≤ T
///   η    PeakLr             learning rate at the end of warm-up
/// </code>
/// Rounding is to the nearest whole number, halves away from zero.
/// </summary>
/// <param name="Name">Unique in the job.</param>
/// <param name="Leaf">Samples per leaf; the last leaf of a round may have fewer.</param>
/// <param name="Sequence">Tokens per sample; null for images.</param>
/// <param name="FirstRound">The job's round with which the stage begins: the sum of T over the stages before.</param>
/// <param name="FirstSample">Where the stage begins in the job's stream of samples: the sum of S over the stages before.</param>
/// <param name="Schedule">Shape of the schedule. Its own rate and warm-up keys are already in <paramref name="PeakLr"/> and <paramref name="WarmupRounds"/>.</param>
public sealed record StagePlan(
    string Name,
    int Batch,
    int Leaf,
    int? Sequence,
    long SamplesPerEpoch,
    long Samples,
    long Rounds,
    long FirstRound,
    long FirstSample,
    double PeakLr,
    long WarmupRounds,
    ScheduleSpec Schedule,
    MomentPolicy Moments)
{
    /// <summary>Samples of a round of this stage: B, and the rest in the last one.</summary>
    /// <param name="round">Number within the stage, from 0 to T-1.</param>
    public int SamplesOf(long round)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(round);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(round, Rounds);
        return (int)Math.Min(Batch, Samples - (round * Batch));
    }

    /// <summary>Whether the optimiser begins anew with a round.</summary>
    /// <param name="round">Number within the job.</param>
    public bool ResetsMoments(long round) => round == FirstRound && Moments == MomentPolicy.Reset;

    /// <summary>The stages of a job, in order.</summary>
    /// <param name="spec">A checked spec.</param>
    /// <param name="samplesPerEpoch">N for a filled stage (<see cref="Stages"/>); of text it depends on the sequence length. At least 1.</param>
    public static IReadOnlyList<StagePlan> Of(JobSpec spec, Func<StageSpec, long> samplesPerEpoch)
    {
        var plans = new List<StagePlan>();
        var (firstRound, firstSample) = (0L, 0L);
        foreach (var stage in Stages.Of(spec))
        {
            var plan = Of(stage, samplesPerEpoch(stage), firstRound, firstSample);
            plans.Add(plan);
            firstRound += plan.Rounds;
            firstSample += plan.Samples;
        }

        return plans;
    }

    private static StagePlan Of(StageSpec stage, long samplesPerEpoch, long firstRound, long firstSample)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(samplesPerEpoch, 1);
        if (stage is not { Name: { } name, Batch: { } batch, Leaf: { } leaf, Schedule: { } schedule })
        {
            throw new ArgumentException("the spec was not checked: a stage has no batch", nameof(stage));
        }

        var samples = stage.Rounds is { } rounds ? checked(rounds * batch) : Math.Max(1, Whole(stage.Epochs!.Value * samplesPerEpoch));
        var count = ((samples - 1) / batch) + 1;
        var warmup = Math.Min(count, Warmup(schedule, stage.Scaling, samplesPerEpoch, batch, count));
        return new(
            name, batch, leaf, stage.Sequence, samplesPerEpoch, samples, count, firstRound, firstSample,
            Peak(schedule, stage.Scaling, batch), warmup, schedule, stage.Moments);
    }

    /// <summary>η: as given, or lr(B) = lr(B0)·√(B/B0) or lr(B0)·B/B0 (You et al. 2020, section 4; Goyal et al. 2017).</summary>
    private static double Peak(ScheduleSpec schedule, ScalingSpec? scaling, int batch) => (schedule.Lr, scaling) switch
    {
        ({ } lr, _) => lr,
        (null, { Rule: ScalingRule.Sqrt, Base: var from }) => from.Lr * Math.Sqrt((double)batch / from.Batch),
        (null, { Rule: ScalingRule.Linear, Base: var from }) => from.Lr * batch / from.Batch,
        _ => throw new ArgumentException("the spec was not checked: a stage has no learning rate", nameof(schedule)),
    };

    /// <summary>
    /// W before it is cut to the stage: as given; or share·T; or epochs·N/B. Linear-epoch warm-up: at batch B it lasts E0·B/B0
    /// epochs, so W = E0·N/B0 rounds, the same at every batch size (ImageNet: 20 of 90 epochs at 32K are 782 of 3,519 rounds).
    /// </summary>
    private static long Warmup(ScheduleSpec schedule, ScalingSpec? scaling, long n, int batch, long rounds) => (schedule, scaling) switch
    {
        ({ WarmupRounds: { } given }, _) => given,
        ({ WarmupEpochs: { } epochs }, _) => Whole(epochs * n / batch),
        ({ WarmupShare: { } share }, _) => Whole(share * rounds),
        (_, { Base: { WarmupEpochs: { } epochs } from }) => Whole(epochs * n / from.Batch),
        _ => 0,
    };

    private static long Whole(double value) => checked((long)Math.Round(value, MidpointRounding.AwayFromZero));
}
