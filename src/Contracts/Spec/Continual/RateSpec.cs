namespace Cluster.Contracts.Spec.Continual;

/// <summary>
/// The learning rate as a function of n, the number of updates of the trunk, by <c>kind</c>. Boundaries are absolute, so adding
/// stages never changes the rate of an update that was known before.
/// </summary>
public abstract record RateSpec
{
    private RateSpec() { }

    /// <summary>
    /// In how many updates the boundaries are counted. With <c>of: 250</c>, <c>warmupEnd: 0.05</c> is update 12.5; with the
    /// default they are updates themselves.
    /// </summary>
    [Above(0), AtMost(1_000_000_000)]
    public double Of { get; init; } = 1;

    /// <summary>
    /// Warm-up from 0 to <see cref="Max"/>, cool-down to <see cref="Constant"/>, and that for as long as there are stages ("Beyond
    /// Cosine Decay", 2025, section 3). Releases anneal beside it. With annealStart and end it anneals itself, as one run would.
    /// </summary>
    public sealed record Infinite : RateSpec
    {
        /// <summary>The rate at the end of the warm-up.</summary>
        [Above(0), AtMost(1_000_000)]
        public required double Max { get; init; }

        /// <summary>The rate that stays.</summary>
        [Above(0), AtMost(1_000_000)]
        public required double Constant { get; init; }

        /// <summary>The rate at the end of annealing.</summary>
        [Above(0), AtMost(1_000_000)]
        public required double Min { get; init; }

        [AtLeast(0), AtMost(1_000_000_000)]
        public double WarmupEnd { get; init; }

        /// <summary>End of the cool-down, warm-up included; at least warmupEnd.</summary>
        [AtLeast(0), AtMost(1_000_000_000)]
        public double CooldownEnd { get; init; }

        public CooldownKind Cooldown { get; init; } = CooldownKind.Cosine;

        /// <summary>Inverse square root: the larger, the faster the rate falls at first.</summary>
        [Above(0), AtMost(1_000_000), OnlyWith(nameof(Cooldown), CooldownKind.InverseSqrt)]
        public double Timescale { get; init; } = 10;

        /// <summary>Where the trunk itself begins to anneal; left out, it never does.</summary>
        [AtLeast(0), AtMost(1_000_000_000)]
        public double? AnnealStart { get; init; }

        /// <summary>Where that annealing reaches <see cref="Min"/>.</summary>
        [Above(0), AtMost(1_000_000_000)]
        public double? End { get; init; }
    }

    /// <summary>One rate, always.</summary>
    [Spelled("constant")]
    public sealed record ConstantRate : RateSpec
    {
        [Above(0), AtMost(1_000_000)]
        public required double Rate { get; init; }
    }

    /// <summary>Warm-up from 0 and one half cosine down to <see cref="Min"/>, which then stays.</summary>
    public sealed record Cosine : RateSpec
    {
        [Above(0), AtMost(1_000_000)]
        public required double Max { get; init; }

        [AtLeast(0), AtMost(1_000_000)]
        public required double Min { get; init; }

        [AtLeast(0), AtMost(1_000_000_000)]
        public double WarmupEnd { get; init; }

        [Above(0), AtMost(1_000_000_000)]
        public required double End { get; init; }
    }

    /// <summary>
    /// The base line of continual training: a warm-up and a half cosine for each stage. Appending a stage appends a cosine.
    /// </summary>
    public sealed record RepeatedCosine : RateSpec
    {
        [Above(0), AtMost(1_000_000)]
        public required double Max { get; init; }

        /// <summary>The rate at the end of each stage.</summary>
        [AtLeast(0), AtMost(1_000_000)]
        public required double Min { get; init; }

        /// <summary>Length of each warm-up.</summary>
        [AtLeast(0), AtMost(1_000_000_000)]
        public double Warmup { get; init; }

        /// <summary>The rate from which all but the first warm up; the first begins at 0.</summary>
        [AtLeast(0), AtMost(1_000_000)]
        public double RewarmFrom { get; init; }

        /// <summary>The cosines one by one, where they are not those of the stages. After the last one the rate stays.</summary>
        public ValueList<CosineSegmentSpec> Segments { get; init; } = [];
    }

    /// <summary>
    /// Warm-up, stable, decay (Hu et al. 2024, arXiv:2404.06395): the rate stays at <see cref="Max"/> until decayStart, then falls to
    /// <see cref="Min"/> at end. Without the two it stays, and releases decay beside it.
    /// </summary>
    [Spelled("wsd")]
    public sealed record WarmupStableDecay : RateSpec
    {
        [Above(0), AtMost(1_000_000)]
        public required double Max { get; init; }

        [AtLeast(0), AtMost(1_000_000)]
        public required double Min { get; init; }

        [AtLeast(0), AtMost(1_000_000_000)]
        public double WarmupEnd { get; init; }

        [AtLeast(0), AtMost(1_000_000_000)]
        public double? DecayStart { get; init; }

        [Above(0), AtMost(1_000_000_000)]
        public double? End { get; init; }

        /// <summary>Shape of the decay.</summary>
        public AnnealTail Tail { get; init; } = AnnealTail.Exponential;
    }
}

/// <summary>One warm-up and half cosine of several. What it leaves out is as in all of them.</summary>
public sealed record CosineSegmentSpec
{
    /// <summary>Its length, warm-up included.</summary>
    [Above(0), AtMost(1_000_000_000)]
    public required double Length { get; init; }

    [Above(0), AtMost(1_000_000)]
    public double? Max { get; init; }

    [AtLeast(0), AtMost(1_000_000_000)]
    public double? Warmup { get; init; }
}

/// <summary>How the rate goes from max to constant; x runs from 0 to 1 over the cool-down.</summary>
public enum CooldownKind
{
    /// <summary>A half cosine.</summary>
    Cosine,

    /// <summary>In proportion to 1/√(1 + timescale·x) (Ibrahim et al. 2024, arXiv:2403.08763).</summary>
    InverseSqrt,

    /// <summary>A straight line.</summary>
    Linear,
}

/// <summary>How a rate F falls to m; r runs from 0 to 1 over the annealing.</summary>
public enum AnnealTail
{
    /// <summary>F·(m/F)^r, the paper's annealing.</summary>
    Exponential,

    /// <summary>m + (F-m)·(1-r).</summary>
    Linear,

    /// <summary>m + (F-m)·(1+cos πr)/2.</summary>
    Cosine,

    /// <summary>m + (F-m)·(1-√r) (Hägele et al. 2024, arXiv:2405.18392).</summary>
    OneMinusSqrt,

    /// <summary>m + (F-m)·(2·½^r - 1), which other programs call exponential.</summary>
    HalfLife,
}
