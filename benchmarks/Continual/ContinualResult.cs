using Cluster.Contracts.Lineage;

namespace Cluster.Benchmarks.Continual;

/// <summary>A finished cell.</summary>
/// <param name="Evaluations">Oldest first.</param>
/// <param name="Seconds">Wall time of the whole job.</param>
internal sealed record ContinualResult(ContinualCell Cell, IReadOnlyList<EvaluationRecord> Evaluations, double Seconds)
{
    /// <summary>L[i][j], from the annealed weights of each stage.</summary>
    public ForgettingMatrix Matrix { get; } = ForgettingMatrix.Of(ContinualTask.Of(Cell.Task).Stages, Evaluations)
        ?? throw new FormatException($"{Cell} has no evaluation at the end of a stage");

    /// <summary>Mean loss over the data sets at the end.</summary>
    public double Final => Matrix.OfLosses().AverageFinal;

    /// <summary>Mean rise of the loss on the earlier data sets, from when each was learnt to the end.</summary>
    public double Forgetting => Matrix.OfLosses().Backward;

    /// <summary>Mean loss on each data set right after it was learnt.</summary>
    public double Current => Matrix.OfLosses().DiagonalAverage;

    /// <summary>The highest loss on the first data set while the trunk was in the second, over the evaluations that were made.</summary>
    public double Peak => Matrix.Peaks[1][0];

    /// <summary>How much lower the loss on its own data is at the end of each annealing than at its fork; empty where nothing anneals beside the trunk.</summary>
    public IEnumerable<double> AnnealingGains =>
        from release in Evaluations
        where release.Node!.Kind == NodeKind.Release
        let stage = release.Node!.Stage
        let fork = Evaluations.Single(e => e.Node is { Kind: NodeKind.PreAnneal } node && node.Step == release.Node!.Step)
        select fork.Scores[stage].Loss - release.Scores[stage].Loss;
}
