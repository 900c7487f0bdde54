using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Data.Clients;
using Cluster.Trainer.Methods.Continual;

namespace Cluster.Cli.Run;

/// <summary>Reads all data of a job once, before anything starts, so that a missing or damaged file is said at once.</summary>
internal static class DataCheck
{
    /// <exception cref="BadInputException">The data are missing or damaged, or do not fit the spec.</exception>
    public static void Check(JobSpec spec, IReadOnlyList<string> roots)
    {
        if (spec.Data is not { } data)
        {
            StageData.OpenAll(spec, roots);
            return;
        }

        if (spec.Method == TrainingMethod.FedHyper)
        {
            if (spec.Federated is { Sites: [var site, ..] })
            {
                throw new BadInputException($"federated.partition.kind: sites are workers of a running cluster: start '{site}' there (cluster trainer --Cluster:Site {site} --Cluster:SiteData FOLDER), and submit the job to it");
            }

            FederatedData.Open(spec, roots);
            return;
        }

        if (data is DataSpec.Graph graph)
        {
            GraphFolder.Read(graph, roots);
            return;
        }

        var sequences = Stages.Of(spec).Select(stage => stage.Sequence).ToArray();
        foreach (var sequence in sequences.Distinct()) { DataSets.OpenFor(spec.Model, data, roots, DataSplit.Train, sequence); }
        DataSets.OpenFor(spec.Model, data, roots, DataSplit.Evaluation, sequences[^1]);
    }
}
