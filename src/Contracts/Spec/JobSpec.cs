using Cluster.Contracts.Spec.Continual;
using Cluster.Contracts.Spec.Federated;

namespace Cluster.Contracts.Spec;

/// <summary>
/// What a user asks for: one file, one job. Immutable; a change is a new job.
/// </summary>
/// <remarks>
/// A job's final weights are a function of this record alone. Keys that do not touch the weights say so below
/// (<see cref="OutsideAnswerAttribute"/>); all others are part of <see cref="SpecHash"/>, by which a checkpoint knows its job.
/// YAML keys are the property names in camel case. Every number has limits, so that no product of them overflows.
/// </remarks>
public sealed record JobSpec
{
    /// <summary>Names the job in the store and on the screen: 1 to 63 of a-z, 0-9 and '-', beginning with a letter.</summary>
    [Name, OutsideAnswer]
    public required string Name { get; init; }

    /// <summary>How to train.</summary>
    public required TrainingMethod Method { get; init; }

    /// <summary>The one source of chance: initial weights, shuffling, masking, dropout, who holds what, which clients are sampled.</summary>
    public long Seed { get; init; } = 1;

    public required ModelSpec Model { get; init; }

    /// <summary>What to train on. A continual job has it with each of its stages.</summary>
    [NotWith(nameof(Method), TrainingMethod.Continual)]
    public required DataSpec? Data { get; init; }

    /// <summary>Samples per round, over all workers together.</summary>
    [AtLeast(1), AtMost(16_777_216), NotWith(nameof(Method), TrainingMethod.FedHyper)]
    public int? Batch { get; init; }

    /// <summary>Samples per leaf, the unit of work that one worker computes in one piece. Defaults to the batch, at most 256.</summary>
    [AtLeast(1), AtMost(16_777_216), NotWith(nameof(Method), TrainingMethod.FedHyper)]
    public int? Leaf { get; init; }

    /// <summary>Passes over the training data. Either this or <see cref="Rounds"/>.</summary>
    [Above(0), AtMost(1_000_000), NotWith(nameof(Method), TrainingMethod.FedHyper, TrainingMethod.Continual)]
    public double? Epochs { get; init; }

    /// <summary>Number of rounds. Either this or <see cref="Epochs"/>; method fedHyper knows rounds alone.</summary>
    [AtLeast(1), AtMost(1_000_000_000), NotWith(nameof(Method), TrainingMethod.Continual)]
    public long? Rounds { get; init; }

    /// <summary>Tokens per sample, for text. Defaults to the model's context.</summary>
    [AtLeast(2), AtMost(1_048_576)]
    public int? Sequence { get; init; }

    [NotWith(nameof(Method), TrainingMethod.FedHyper)]
    public OptimizerSpec Optimizer { get; init; } = new();

    [NotWith(nameof(Method), TrainingMethod.FedHyper, TrainingMethod.Continual)]
    public ScheduleSpec? Schedule { get; init; }

    [NotWith(nameof(Method), TrainingMethod.FedHyper, TrainingMethod.Continual)]
    public ScalingSpec? Scaling { get; init; }

    [NotWith(nameof(Method), TrainingMethod.FedHyper)]
    public ClipSpec? Clip { get; init; }

    /// <summary>
    /// Parts of the job that follow one another with other settings, such as mixed-batch training with re-warm-up.
    /// What a stage leaves out it takes from the job. A job without stages is one stage.
    /// </summary>
    [NotWith(nameof(Method), TrainingMethod.FedHyper, TrainingMethod.Continual)]
    public ValueList<StageSpec> Stages { get; init; } = [];

    /// <summary>Clients, their data and the two learning rates of federated training.</summary>
    [OnlyWith(nameof(Method), TrainingMethod.FedHyper, IsRequired = true)]
    public FederatedSpec? Federated { get; init; }

    /// <summary>Layer-local learning: what the layers learn from, and how.</summary>
    [OnlyWith(nameof(Method), TrainingMethod.ForwardForward, IsRequired = true)]
    public ForwardForwardSpec? ForwardForward { get; init; }

    /// <summary>Continual pre-training: the trunk's schedule, its data sets and its releases.</summary>
    [OnlyWith(nameof(Method), TrainingMethod.Continual, IsRequired = true)]
    public ContinualSpec? Continual { get; init; }

    /// <summary>Arithmetic of forward and backward. Parameters, gradients' sums and the update are float32 in both.</summary>
    public Precision Precision { get; init; } = Precision.Float32;

    public DeviceKind Device { get; init; } = DeviceKind.Cpu;

    /// <summary>Math threads per leaf. Part of the answer: sums inside one matrix product depend on it.</summary>
    [AtLeast(1), AtMost(256)]
    public int Threads { get; init; } = 1;

    [OutsideAnswer]
    public WorkersSpec Workers { get; init; } = new();

    [OutsideAnswer]
    public CheckpointSpec Checkpoint { get; init; } = new();

    [OutsideAnswer]
    public EvaluateSpec Evaluate { get; init; } = new();

    public NonFiniteSpec NonFinite { get; init; } = new();
}

public enum TrainingMethod
{
    // A method that nobody has set is none of these: numbers begin at 1.

    /// <summary>Large-batch data-parallel training (You et al. 2020).</summary>
    Lamb = 1,

    /// <summary>Federated learning with learning rates by hypergradient descent (Wang, Wang and Li 2024), and its base lines.</summary>
    FedHyper = 2,

    /// <summary>Layer-local learning without a backward pass (Hinton 2022; Park et al. 2024; Momeni et al. 2023).</summary>
    ForwardForward = 3,

    /// <summary>Continual pre-training with an infinite learning-rate schedule ("Beyond Cosine Decay", CoLLAs 2025).</summary>
    Continual = 4,
}

public enum Precision
{
    Float32,

    /// <summary>Matrix products in bfloat16 (autocast).</summary>
    [Spelled("bfloat16")]
    BFloat16,
}

public enum DeviceKind { Cpu, Cuda }

/// <summary>Stops the job from ending on a loss or gradient that is NaN or infinite: such a round is skipped and counted.</summary>
public sealed record NonFiniteSpec
{
    /// <summary>So many skipped rounds in a row end the job as Failed.</summary>
    [AtLeast(1), AtMost(1_000_000)]
    public int MaxSkips { get; init; } = 10;
}

/// <summary>How many workers compute the job. Does not touch the weights.</summary>
public sealed record WorkersSpec
{
    /// <summary>The job starts when so many workers are there.</summary>
    [AtLeast(1), AtMost(1024)]
    public int Min { get; init; } = 1;

    /// <summary>The job takes so many while workers are idle and no other job waits. Defaults to <see cref="Min"/>.</summary>
    [AtLeast(1), AtMost(1024)]
    public int? Max { get; init; }
}

/// <summary>Does not touch the weights.</summary>
public sealed record CheckpointSpec
{
    /// <summary>Rounds between checkpoints; 0 means only at the end and when stopped.</summary>
    [AtLeast(0), AtMost(1_000_000_000)]
    public long EveryRounds { get; init; } = 100;

    /// <summary>How many are kept; older ones are deleted after a newer one is safe.</summary>
    [AtLeast(1), AtMost(1_000_000)]
    public int Keep { get; init; } = 3;
}

/// <summary>Does not touch the weights.</summary>
public sealed record EvaluateSpec
{
    /// <summary>Rounds between evaluations; 0 means only at the end.</summary>
    [AtLeast(0), AtMost(1_000_000_000)]
    public long EveryRounds { get; init; }

    /// <summary>Evaluates at most so many samples; all of the evaluation split by default.</summary>
    [AtLeast(1), AtMost(1_000_000_000_000)]
    public long? Samples { get; init; }
}
