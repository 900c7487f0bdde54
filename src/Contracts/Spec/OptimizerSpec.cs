namespace Cluster.Contracts.Spec;

/// <summary>
/// The update rule and its constants. One record for all kinds: keys that a kind does not use are refused, not ignored.
/// Defaults are the papers': LAMB is Algorithm 2 of You et al. 2020 (final version), with bias and normalisation tensors
/// left out of decay and of adaptation.
/// </summary>
public sealed record OptimizerSpec
{
    public OptimizerKind Kind { get; init; } = OptimizerKind.Lamb;

    /// <summary>LAMB, AdamW and Adam: decay rate of the first moment.</summary>
    [AtLeast(0), Below(1), OnlyWith(nameof(Kind), OptimizerKind.Lamb, OptimizerKind.AdamW, OptimizerKind.Adam)]
    public double Beta1 { get; init; } = 0.9;

    /// <summary>LAMB, AdamW and Adam: decay rate of the second moment.</summary>
    [AtLeast(0), Below(1), OnlyWith(nameof(Kind), OptimizerKind.Lamb, OptimizerKind.AdamW, OptimizerKind.Adam)]
    public double Beta2 { get; init; } = 0.999;

    /// <summary>LAMB, AdamW and Adam: added to the root of the second moment, default 1e-6 for LAMB, else 1e-8. LARS: added to the denominator of the ratio, default 1e-8.</summary>
    [AtLeast(0), AtMost(1), OnlyWith(nameof(Kind), OptimizerKind.Lamb, OptimizerKind.AdamW, OptimizerKind.Lars, OptimizerKind.Adam)]
    public double? Epsilon { get; init; }

    /// <summary>LAMB: epsilon under the root, as NVLAMB prints it.</summary>
    [OnlyWith(nameof(Kind), OptimizerKind.Lamb)]
    public bool EpsilonInsideRoot { get; init; }

    /// <summary>λ. Default 0.01 for LAMB and AdamW, 5e-4 for LARS, SGD and Adam.</summary>
    [AtLeast(0), AtMost(1_000)]
    public double? WeightDecay { get; init; }

    /// <summary>Tensors without decay, and without adaptation unless <see cref="AdaptWithoutDecay"/>: by default biases and normalisation.</summary>
    public ExclusionSpec Exclude { get; init; } = ExclusionSpec.BiasAndNorm;

    /// <summary>LAMB and LARS: tensors without decay get the layer-wise ratio all the same.</summary>
    [OnlyWith(nameof(Kind), OptimizerKind.Lamb, OptimizerKind.Lars)]
    public bool AdaptWithoutDecay { get; init; }

    /// <summary>LAMB: where the bias correction acts.</summary>
    [OnlyWith(nameof(Kind), OptimizerKind.Lamb)]
    public BiasCorrection BiasCorrection { get; init; } = BiasCorrection.Inside;

    /// <summary>LAMB: where the decay enters.</summary>
    [OnlyWith(nameof(Kind), OptimizerKind.Lamb)]
    public WeightDecayMode WeightDecayMode { get; init; } = WeightDecayMode.InUpdate;

    /// <summary>LAMB: phi clamps the parameter norm to [low, high]; identity when absent.</summary>
    [OnlyWith(nameof(Kind), OptimizerKind.Lamb)]
    public RangeSpec? NormClamp { get; init; }

    /// <summary>LAMB: clamps the ratio to [low, high]; [0, 1] is LAMBC. No clamp when absent.</summary>
    [OnlyWith(nameof(Kind), OptimizerKind.Lamb)]
    public RangeSpec? RatioClip { get; init; }

    /// <summary>LAMB and LARS: tensors (by name) that are stacks along their first axis; each slice has its own ratio.</summary>
    [OnlyWith(nameof(Kind), OptimizerKind.Lamb, OptimizerKind.Lars)]
    public ValueList<string> Stacked { get; init; } = [];

    /// <summary>LARS and SGD: μ.</summary>
    [AtLeast(0), Below(1), OnlyWith(nameof(Kind), OptimizerKind.Lars, OptimizerKind.Sgd)]
    public double Momentum { get; init; } = 0.9;

    /// <summary>LARS and SGD.</summary>
    [OnlyWith(nameof(Kind), OptimizerKind.Lars, OptimizerKind.Sgd)]
    public bool Nesterov { get; init; }

    /// <summary>LARS: the trust coefficient η_c.</summary>
    [Above(0), AtMost(1_000), OnlyWith(nameof(Kind), OptimizerKind.Lars)]
    public double TrustCoefficient { get; init; } = 0.001;
}

public enum OptimizerKind
{
    Lamb,
    Lars,

    [Spelled("adamw")]
    AdamW,

    Sgd,

    /// <summary>Adam with λx added to the gradient before the moments (Kingma and Ba 2015), where AdamW decays beside the update.</summary>
    Adam,
}

public enum ExclusionSpec
{
    /// <summary>Every tensor is decayed and adapted.</summary>
    Nothing,

    /// <summary>One-dimensional tensors: biases, and the scales and shifts of normalisation.</summary>
    BiasAndNorm,
}

public enum BiasCorrection
{
    /// <summary>m/(1-β1^t) and v/(1-β2^t) in the update (final paper).</summary>
    Inside,

    /// <summary>The learning rate is multiplied by √(1-β2^t)/(1-β1^t) instead: a hidden warm-up.</summary>
    OnLearningRate,

    /// <summary>None (the paper's third version, and the author's ResNet code).</summary>
    None,
}

public enum WeightDecayMode
{
    /// <summary>u = r + λx, inside the norm (paper).</summary>
    InUpdate,

    /// <summary>λx is added to the gradient before the moments.</summary>
    L2InGradient,

    /// <summary>x shrinks by η·λ·x beside the update, outside the norm.</summary>
    Decoupled,
}

/// <summary>A closed range, <see cref="Low"/> to <see cref="High"/>.</summary>
public sealed record RangeSpec
{
    [AtLeast(0)]
    public double Low { get; init; }

    /// <summary>No upper end when left out.</summary>
    [Above(0)]
    public double High { get; init; } = double.PositiveInfinity;
}

/// <summary>Divides the gradient by max(1, norm / <see cref="Norm"/>), the norm taken over all tensors together.</summary>
public sealed record ClipSpec
{
    [Above(0)]
    public required double Norm { get; init; }

    public ClipPoint Point { get; init; } = ClipPoint.Round;
}

public enum ClipPoint
{
    /// <summary>The mean gradient of the round.</summary>
    Round,

    /// <summary>Each leaf's own mean gradient, before the sum (as the author's code does per replica).</summary>
    Leaf,
}
