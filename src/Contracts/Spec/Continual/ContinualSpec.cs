namespace Cluster.Contracts.Spec.Continual;

/// <summary>
/// Continual pre-training: one trunk that sees one data set after the other and never has to end, and releases that fork it,
/// anneal and are published. The trunk's weights do not depend on its releases.
/// </summary>
public sealed record ContinualSpec
{
    /// <summary>The learning rate of the trunk.</summary>
    public required RateSpec Schedule { get; init; }

    /// <summary>Makes the job the branch of one release alone. Written by the job that is its trunk.</summary>
    public BranchOfSpec? BranchOf { get; init; }

    /// <summary>Weights to begin from. Left out, the trunk begins with random ones.</summary>
    public StartSpec? Start { get; init; }

    /// <summary>What the trunk is trained on, in this order. Append-only: an earlier stage never changes once it was trained.</summary>
    [NotEmpty]
    public required ValueList<ContinualStageSpec> Stages { get; init; }

    /// <summary>Releases within stages; those at the end of a stage can stand with it.</summary>
    public ValueList<ReleaseSpec> Releases { get; init; } = [];

    /// <summary>Watches the loss of the trunk's batches for a rise. Left out, nobody does.</summary>
    public DriftSpec? Drift { get; init; }

    /// <summary>What <c>cluster run</c> lets the newest release write when the job has ended. Text models only.</summary>
    [OutsideAnswer]
    public PreviewSpec? Preview { get; init; }

    /// <summary>The stage in which the trunk's update lies, from 1; the last one for what follows it.</summary>
    public ContinualStageSpec StageOf(long update)
    {
        var (index, end) = (0, Stages[0].Updates);
        while (end < update && index < Stages.Count - 1) { end += Stages[++index].Updates; }
        return Stages[index];
    }
}

/// <summary>A checkpoint of an earlier job with the same model. Its weights are taken, and the moments begin at zero.</summary>
public sealed record StartSpec
{
    /// <summary>Its folder, as the workers see it; a relative one is looked for like data. It must stay for as long as the job runs.</summary>
    [OutsideAnswer]
    public required string Checkpoint { get; init; }

    /// <summary>
    /// The release that it is. An annealed state is gone on from only where it is named: without this, states of the trunk alone
    /// are taken.
    /// </summary>
    [Name]
    public string? Release { get; init; }

    /// <summary>Its manifest's weightsSha256. <c>run</c> and <c>submit</c> record it; where it stands, other weights are refused.</summary>
    public string? WeightsSha256 { get; init; }
}

/// <summary>
/// Of which trunk the job is a branch: it loads the trunk's state at the fork, anneals, and ends with the release. Its spec is the trunk's
/// otherwise, and its weights are those of a branch that annealed within the trunk's job.
/// </summary>
public sealed record BranchOfSpec
{
    /// <summary>The trunk's id.</summary>
    public required string Job { get; init; }

    /// <summary>Which of the releases: one whose branch is apart.</summary>
    [Name]
    public required string Release { get; init; }

    /// <summary>Folder of the trunk's checkpoint at the fork, as the workers see it; a relative one is looked for like data.</summary>
    [OutsideAnswer]
    public required string Checkpoint { get; init; }
}

/// <summary>One data set of the trunk.</summary>
public sealed record ContinualStageSpec
{
    /// <summary>Names the data set in mixtures, in evaluations and on the screen.</summary>
    [Name]
    public required string Name { get; init; }

    public required DataSpec Data { get; init; }

    /// <summary>
    /// SHA-256 of the data set's files, one after the other, in 64 lower-case hex digits. <c>run</c> and <c>submit</c> record it;
    /// where it stands, other bytes are refused.
    /// </summary>
    public string? Sha256 { get; init; }

    /// <summary>Bytes of the data set's files, recorded with their hash.</summary>
    [AtLeast(1), AtMost(1_000_000_000_000_000)]
    public long? Bytes { get; init; }

    /// <summary>Updates of the trunk in this stage: a round each.</summary>
    [AtLeast(1), AtMost(1_000_000_000)]
    public required long Updates { get; init; }

    /// <summary>What each batch of this stage consists of.</summary>
    public MixtureSpec Mixture { get; init; } = new MixtureSpec.Current();

    /// <summary>What happens to the optimiser's moments when this stage begins.</summary>
    public BoundaryMoments Moments { get; init; } = BoundaryMoments.Keep;

    /// <summary>
    /// The release at the end of the stage before, by name, when this stage is to go on from its annealed weights and not from the
    /// trunk (as WSD-S does, arXiv:2410.05192).
    /// </summary>
    [Name]
    public string? From { get; init; }

    /// <summary>A release at the end of this stage.</summary>
    public ReleaseSpec? Release { get; init; }
}

public enum BoundaryMoments
{
    /// <summary>Those of the state that the stage begins from.</summary>
    Keep,

    /// <summary>Moments and the step count of the bias correction begin at zero again (the paper, appendix C).</summary>
    Reset,

    /// <summary>Those of the trunk at the fork, also where the weights come from a release.</summary>
    Restore,
}

/// <summary>A branch of the trunk: its state at an update, annealed over some more with a mixture of its own.</summary>
public sealed record ReleaseSpec
{
    /// <summary>Unique among the releases. By default the name of its stage, for one within a stage with the update: <c>english-300</c>.</summary>
    [Name]
    public string? Name { get; init; }

    /// <summary>The trunk's update after which it forks. Only in <c>releases</c>: one that stands with a stage comes at its end.</summary>
    [AtLeast(1), AtMost(1_000_000_000)]
    public long? At { get; init; }

    /// <summary>Updates of annealing, t_a.</summary>
    [AtLeast(1), AtMost(1_000_000_000)]
    public required long Updates { get; init; }

    /// <summary>The rate of the last one; by default the schedule's min.</summary>
    [Above(0), AtMost(1_000_000)]
    public double? Min { get; init; }

    public AnnealTail Tail { get; init; } = AnnealTail.Exponential;

    /// <summary>What each batch of the annealing consists of; by default as in the stage.</summary>
    public MixtureSpec? Mixture { get; init; }

    /// <summary>Where it anneals; by default within the trunk. Its weights and the trunk's are the same bits either way.</summary>
    public BranchPlace? Branch { get; init; }

    /// <summary>With <c>branch: apart</c>: the workers of its own, by default one. It waits for them while the trunk goes on.</summary>
    [OutsideAnswer]
    public WorkersSpec? Workers { get; init; }
}

public enum BranchPlace
{
    /// <summary>Between two updates of the trunk, on the trunk's workers.</summary>
    InTrunk,

    /// <summary>In a job of its own, which forks from the trunk's checkpoint while the trunk goes on.</summary>
    Apart,
}

/// <summary>
/// Page and Hinkley's test on the mean loss of the trunk's batches, each as the weights before its update see it. Weights and data do
/// not depend on it. In a batch with replay the new data are only a part, and a shift shows by as much less.
/// </summary>
public sealed record DriftSpec
{
    /// <summary>δ, in the unit of the loss: what lies less than this above the mean so far does not count as a rise.</summary>
    [AtLeast(0), AtMost(1_000_000)]
    public required double Delta { get; init; }

    /// <summary>λ, in the unit of the loss: a drift is where what counted, summed since it was lowest, is more.</summary>
    [Above(0), AtMost(1_000_000_000)]
    public required double Threshold { get; init; }

    /// <summary>Updates that are not looked at, in the beginning and after each drift: the loss falls steeply then, and would raise the mean.</summary>
    [AtLeast(0), AtMost(1_000_000_000)]
    public long WarmUp { get; init; } = 30;

    public DriftAction Action { get; init; } = DriftAction.Note;

    /// <summary>The earlier stages' part in a batch, together, from a drift on: with <c>raiseReplay</c>, and only there.</summary>
    [Above(0), Below(1)]
    public double? Share { get; init; }
}

/// <summary>What a drift does.</summary>
public enum DriftAction
{
    /// <summary>The job's notices say it, with update, statistic and threshold.</summary>
    Note,

    /// <summary>The same; and the state after that update is a milestone: evaluated on all data sets, and its checkpoint is kept.</summary>
    Checkpoint,

    /// <summary>
    /// The same as note; and from the update after the first drift to the end of the job, batches of stages after the first are a replay with
    /// <c>share</c>, where that is more than their own mixture has of earlier stages. A release's mixture stays.
    /// </summary>
    RaiseReplay,
}

/// <summary>A text to begin with, and how much to write.</summary>
public sealed record PreviewSpec
{
    public required string Prompt { get; init; }

    [AtLeast(1), AtMost(100_000)]
    public int Tokens { get; init; } = 400;

    /// <summary>Divides the logits: below 1 the model is bolder than it learnt to be; 0 takes the likeliest token.</summary>
    [AtLeast(0), AtMost(100)]
    public double Temperature { get; init; } = 0.8;
}
