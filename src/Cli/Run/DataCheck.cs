using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Data;

namespace Cluster.Cli.Run;

/// <summary>Reads all data of a job once, before anything starts, so that a missing or damaged file is said at once.</summary>
internal static class DataCheck
{
    /// <exception cref="BadInputException">The data are missing or damaged, or do not fit the spec.</exception>
    public static void Check(JobSpec spec, IReadOnlyList<string> roots)
    {
        if (spec.Data is DataSpec.Graph graph)
        {
            GraphFolder.Read(graph, roots);
            return;
        }

        var masked = spec.Model is ModelSpec.Bert;
        var sequences = Stages.Of(spec).Select(stage => stage.Sequence).ToArray();
        foreach (var sequence in sequences.Distinct()) { DataSets.Open(spec.Data, roots, DataSplit.Train, sequence, masked); }
        DataSets.Open(spec.Data, roots, DataSplit.Evaluation, sequences[^1], masked);
    }
}
