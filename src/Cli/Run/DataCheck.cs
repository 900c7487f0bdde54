using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Data.Clients;
using Cluster.Trainer.Core.Models;
using Cluster.Trainer.Methods.Continual;
using TorchSharp;

namespace Cluster.Cli.Run;

/// <summary>Reads all data of a job once, and tries its module where it has one, before anything starts, so that what is missing, damaged or does not fit is said at once.</summary>
internal static class DataCheck
{
    /// <exception cref="BadInputException">The data are missing or damaged, or do not fit the spec.</exception>
    public static void Check(JobSpec spec, IReadOnlyList<string> roots)
    {
        if (spec.Data is not { } data)
        {
            var stages = StageData.OpenAll(spec, roots);
            CheckModule(spec, stages[0].Training, roots);
            return;
        }

        if (spec.Method == TrainingMethod.FedHyper)
        {
            if (spec.Federated is { Sites: [var site, ..] })
            {
                throw new BadInputException($"federated.partition.kind: sites are workers of a running cluster: start '{site}' there (cluster trainer --Cluster:Site {site} --Cluster:SiteData FOLDER), and submit the job to it");
            }

            CheckModule(spec, FederatedData.Open(spec, roots).Evaluation, roots);
            return;
        }

        if (data is DataSpec.Graph graph)
        {
            GraphFolder.Read(graph, roots);
            return;
        }

        var sequences = Stages.Of(spec).Select(stage => stage.Sequence).ToArray();
        foreach (var sequence in sequences.Distinct()) { DataSets.OpenFor(spec.Model, data, roots, DataSplit.Train, sequence); }
        CheckModule(spec, DataSets.OpenFor(spec.Model, data, roots, DataSplit.Evaluation, sequences[^1]), roots);
    }

    /// <summary>A module from a file is tried here: another model is right if its spec is.</summary>
    private static void CheckModule(JobSpec spec, IDataSet data, IReadOnlyList<string> roots)
    {
        if (spec.Model is ModelSpec.TorchScript) { ModelCatalog.Create(spec.Model, data.InputShape, data.Classes, spec.Seed, torch.CPU, roots).Dispose(); }
    }
}
