namespace Cluster.Contracts.Spec.Federated;

/// <summary>
/// Federated learning: clients that keep their data train a few steps from the global model, and the server moves the model
/// along the mean of their changes. Two learning rates: β of the clients (<see cref="LocalLr"/>) and α of the server
/// (<see cref="GlobalLr"/>); <see cref="Scheduler"/> moves them.
/// </summary>
/// <remarks>
/// <code>
///   FedAvg      scheduler: {kind: constant}                        FedAvgM, FedAdam, FedAdagrad   and server: {kind: fedAvgM} ...
///   FedExP      scheduler: {kind: fedExp}, weighting: uniform      FedProx                        and proximal: 0.01
///   step decay  scheduler: {kind: decay, factor: 0.995}            FedHyper-G, -SL, -CL, G+CL     scheduler: {kind: fedHyper, variant: g+cl}
/// </code>
/// </remarks>
public sealed record FederatedSpec
{
    /// <summary>Who holds which training samples.</summary>
    public required PartitionSpec Partition { get; init; }

    /// <summary>A client uses at most so many of its samples, the first ones; all by default.</summary>
    [AtLeast(1), AtMost(1_000_000_000)]
    public int? MaxExamples { get; init; }

    /// <summary>The global model evaluated at the clients, on samples that they hold back; not by default.</summary>
    public LocalEvaluationSpec? LocalEvaluation { get; init; }

    /// <summary>Clients that a round samples, without replacement and all equally likely; more with <see cref="ParticipationSpec.OverSampling"/>.</summary>
    [AtLeast(1), AtMost(4096)]
    public required int ClientsPerRound { get; init; }

    /// <summary>What a round does about clients that are late or away. By default it needs all whom it samples, and waits for them.</summary>
    public ParticipationSpec? Participation { get; init; }

    /// <summary>How much a client's change counts in the mean.</summary>
    public ClientWeighting Weighting { get; init; } = ClientWeighting.Examples;

    /// <summary>K: steps that a client makes in a round, over its samples in an order of its own. Either this or <see cref="LocalEpochs"/>.</summary>
    [AtLeast(1), AtMost(1_000_000)]
    public int? LocalSteps { get; init; }

    /// <summary>Passes that a client makes over its samples in a round. Either this or <see cref="LocalSteps"/>.</summary>
    [AtLeast(1), AtMost(100_000)]
    public int? LocalEpochs { get; init; }

    /// <summary>Samples in a local step; a client that has fewer takes all it has.</summary>
    [AtLeast(1), AtMost(1_048_576)]
    public int LocalBatch { get; init; } = 32;

    /// <summary>
    /// How many clients of a round are trained as one computation, where the model is an mlp without dropout, in float32, on images that
    /// are not at sites.
    /// By default 8 where that is faster by much, which is for small models, and 1 otherwise: one by one. Either way gives the same
    /// weights to rounding.
    /// </summary>
    [AtLeast(1), AtMost(256)]
    public int? ClientsTogether { get; init; }

    /// <summary>The clients' step. Its moments begin at zero in every round: a client keeps nothing between rounds.</summary>
    public LocalOptimizerSpec LocalOptimizer { get; init; } = new LocalOptimizerSpec.Sgd();

    /// <summary>μ of FedProx (Li et al. 2020): adds μ/2·|w - w(t)|² to every client's loss, w(t) being the global model.</summary>
    [AtLeast(0), AtMost(1_000_000)]
    public double Proximal { get; init; }

    /// <summary>β(0): the clients' learning rate in the first round.</summary>
    [Above(0), AtMost(1_000_000)]
    public required double LocalLr { get; init; }

    /// <summary>α(0): what the mean of the clients' changes is multiplied by in the first round.</summary>
    [Above(0), AtMost(1_000_000)]
    public double GlobalLr { get; init; } = 1;

    /// <summary>How the two learning rates move.</summary>
    public SchedulerSpec Scheduler { get; init; } = new SchedulerSpec.FedHyper();

    /// <summary>What the server does with α times the mean change.</summary>
    public ServerSpec Server { get; init; } = new ServerSpec.FedAvg();

    /// <summary>Clients that a round samples and asks to train.</summary>
    public int Invited => (int)decimal.Ceiling((decimal)Policy.OverSampling * ClientsPerRound);

    /// <summary>Clients that must have reported for a round to count.</summary>
    public int Quorum => (int)decimal.Ceiling((decimal)Policy.Quorum * ClientsPerRound);

    /// <summary>What a client may take for its local steps; null: whatever it needs.</summary>
    public TimeSpan? Deadline => Policy.DeadlineSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null;

    /// <summary>Sites that are clients of the job.</summary>
    public IReadOnlyList<string> Sites => Partition is PartitionSpec.Sites sites ? sites.Clients : [];

    private ParticipationSpec Policy => Participation ?? new();

    /// <summary>Whether several clients of the job can be trained as one computation.</summary>
    public static bool CanTrainTogether(JobSpec job) =>
        job is { Model: ModelSpec.Mlp { Dropout: 0 }, Precision: Precision.Float32, Data: not { IsText: true }, Federated.Partition: not PartitionSpec.Sites };
}

public enum ClientWeighting
{
    /// <summary>By the number of its samples (McMahan et al. 2017).</summary>
    Examples,

    /// <summary>Every client the same.</summary>
    Uniform,
}
