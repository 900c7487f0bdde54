namespace Cluster.Contracts.Spec.Federated;

/// <summary>
/// The global model evaluated at the clients: each holds back a part of its own samples and never trains on it. All clients are evaluated
/// whenever the job evaluates (<c>evaluate.everyRounds</c>, and at the end), each where its data are; a site that is away then is counted as
/// absent.
/// </summary>
public sealed record LocalEvaluationSpec
{
    /// <summary>
    /// Share of a client's samples that it holds back, rounded to whole samples: at least one, and never its last. Which ones follows from
    /// the job's seed, and stays. <see cref="FederatedSpec.MaxExamples"/> limits both parts together.
    /// </summary>
    [Above(0), Below(1)]
    public required double Share { get; init; }
}
