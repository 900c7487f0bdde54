namespace Cluster.Contracts.Spec;

/// <summary>
/// Rules between the keys of a stage, those that it takes from the job included. A problem is reported at the key where the
/// user wrote the value: in the stage, or in the job.
/// </summary>
internal sealed class StageChecks
{
    private const int MaxStages = 100;

    private readonly JobSpec _job;
    private readonly StageSpec _stage;
    private readonly string _prefix;
    private readonly SpecReport _report;

    /// <param name="stage">Filled from the job.</param>
    /// <param name="prefix"><c>stages[1].</c>, or nothing for a job without stages.</param>
    private StageChecks(JobSpec job, StageSpec stage, string prefix, SpecReport report) =>
        (_job, _stage, _prefix, _report) = (job, stage, prefix, report);

    public static void All(JobSpec job, SpecReport report)
    {
        if (job.Stages.Count > MaxStages)
        {
            report.Broken("stages", $"{job.Stages.Count} stages", $"at most {MaxStages} stages");
            return;
        }

        OneLength("", job.Epochs, job.Rounds, report);
        var stages = Stages.Of(job);
        for (var i = 0; i < stages.Count; i++)
        {
            var checks = new StageChecks(job, stages[i], job.Stages.Count == 0 ? "" : $"stages[{i}].", report);
            checks.Length(i);
            checks.BatchAndLeaf();
            checks.Rate();
            checks.Warmup();
            checks.Sequence();
            checks.Name([.. stages.Take(i)]);
        }
    }

    /// <summary>The one rule that a job without stages of any method keeps.</summary>
    public static void SequenceOf(JobSpec job, SpecReport report) => new StageChecks(job, Stages.Of(job with { Stages = [] })[0], "", report).Sequence();

    private static void OneLength(string prefix, double? epochs, long? rounds, SpecReport report)
    {
        if (epochs is not null && rounds is not null)
        {
            report.Broken($"{prefix}rounds", "rounds beside epochs", "one of the two", $"{prefix}epochs");
        }
    }

    private void Length(int index)
    {
        if (_job.Stages.Count > 0)
        {
            OneLength(_prefix, _job.Stages[index].Epochs, _job.Stages[index].Rounds, _report);
        }

        if (_stage is { Epochs: null, Rounds: null })
        {
            _report.Broken($"{_prefix}epochs", "neither epochs nor rounds", "one of the two", KeyOf("epochs"), KeyOf("rounds"));
        }
    }

    private void BatchAndLeaf() => BatchChecks.Check(_stage.Batch, _stage.Leaf, KeyOf("batch"), KeyOf("leaf"), _report);

    private void Rate()
    {
        var (lr, scaling) = ($"{KeyOf("schedule")}.lr", KeyOf("scaling"));
        switch (_stage)
        {
            case { Schedule.Lr: not null, Scaling: not null }:
                _report.Broken(lr, $"a learning rate beside {scaling}", "one of the two", scaling);
                break;
            case { Schedule.Lr: null, Scaling: null }:
                _report.Broken(lr, "no learning rate", "schedule.lr, or scaling with its base", scaling);
                break;
            default:
                break;
        }
    }

    private void Warmup()
    {
        var (schedule, scaling) = (KeyOf("schedule"), KeyOf("scaling"));
        (string Key, bool Given)[] lengths =
        [
            ($"{schedule}.warmupRounds", _stage.Schedule!.WarmupRounds is not null),
            ($"{schedule}.warmupEpochs", _stage.Schedule.WarmupEpochs is not null),
            ($"{schedule}.warmupShare", _stage.Schedule.WarmupShare is not null),
            ($"{scaling}.base.warmupEpochs", _stage.Scaling?.Base.WarmupEpochs is not null),
        ];
        string[] given = [.. lengths.Where(l => l.Given).Select(l => l.Key)];
        foreach (var more in given.Skip(1))
        {
            _report.Broken(more, $"a warm-up length beside {given[0]}", "one warm-up length", given[0]);
        }
    }

    private void Sequence()
    {
        var key = KeyOf("sequence");
        if (_stage.Sequence is not { } sequence || _job.Data is not { } data)
        {
            return;
        }

        if (!data.IsText)
        {
            _report.Broken(key, $"tokens per sample with data.kind {SpecNames.Of(data.GetType())}", "this key with data.kind text or tokens", "data.kind");
        }
        else if (Stages.ContextOf(_job.Model) is { } context && sequence > context)
        {
            _report.Broken(key, $"{sequence}, more than model.context", $"a whole number at least 2 and at most {context}", "model.context");
        }
    }

    private void Name(IReadOnlyList<StageSpec> before)
    {
        if (before.Any(b => b.Name == _stage.Name))
        {
            _report.Broken($"{_prefix}name", $"{Quote.Show(_stage.Name!)}, the name of an earlier stage", "a name of its own for each stage");
        }
    }

    /// <summary>The full path of a key: the stage's where it is given there or nowhere, else the job's.</summary>
    private string KeyOf(string key) => !_report.IsGiven(_prefix + key) && _report.IsGiven(key) ? key : _prefix + key;
}
