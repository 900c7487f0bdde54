using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Continual;
using Cluster.Trainer.Core.Data;

namespace Cluster.Trainer.Methods.Continual;

/// <summary>The data set of one stage, both splits.</summary>
internal sealed record StageData(string Name, IDataSet Training, IDataSet Evaluation)
{
    /// <summary>Opens the data of all stages, compares them with what was recorded, and with one another.</summary>
    /// <exception cref="BadInputException">Something is missing, damaged, changed since it was recorded, or does not fit the first stage.</exception>
    public static IReadOnlyList<StageData> OpenAll(JobSpec spec, IReadOnlyList<string> dataRoots)
    {
        var stages = spec.Continual!.Stages.Select(stage => Open(stage, spec, dataRoots)).ToArray();
        foreach (var stage in stages)
        {
            var (first, own) = (stages[0].Training, stage.Training);
            if (!own.InputShape.SequenceEqual(first.InputShape) || own.Classes != first.Classes)
            {
                throw new BadInputException(
                    $"stage '{stage.Name}' has samples of [{string.Join(", ", own.InputShape)}] with {own.Classes} classes, stage '{stages[0].Name}' of [{string.Join(", ", first.InputShape)}] with {first.Classes}; one model needs the same of all stages");
            }

            if (stages[0].Training is TextWindows before && own is TextWindows now && now.TokenizerSha256 != before.TokenizerSha256)
            {
                throw new BadInputException(
                    $"stage '{stage.Name}' has tokens of another tokenizer (SHA-256 {now.TokenizerSha256}) than stage '{stages[0].Name}' ({before.TokenizerSha256}); to one model a token must mean the same in all stages. Tokenize both with the same --tokenizer");
            }
        }

        return stages;
    }

    private static StageData Open(ContinualStageSpec stage, JobSpec spec, IReadOnlyList<string> dataRoots)
    {
        try
        {
            DataRecord.Check(stage, dataRoots);
            var sequence = Stages.SequenceOf(spec, stage.Data);
            return new StageData(
                stage.Name,
                DataSets.OpenFor(spec.Model, stage.Data, dataRoots, DataSplit.Train, sequence),
                DataSets.OpenFor(spec.Model, stage.Data, dataRoots, DataSplit.Evaluation, sequence));
        }
        catch (BadInputException wrong)
        {
            throw new BadInputException($"stage '{stage.Name}': {wrong.Message}");
        }
    }
}
