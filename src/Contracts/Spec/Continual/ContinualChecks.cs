namespace Cluster.Contracts.Spec.Continual;

/// <summary>Rules between the keys of a continual job.</summary>
internal sealed class ContinualChecks
{
    private const int MaxStages = 100;
    private const int MaxReleases = 1000;
    private const string Path = "continual";

    private readonly JobSpec _job;
    private readonly ContinualSpec _spec;
    private readonly SpecReport _report;
    private readonly MixtureChecks _mixtures;
    private readonly Dictionary<string, BranchPlace> _releases = [];

    private ContinualChecks(JobSpec job, SpecReport report) =>
        (_job, _spec, _report, _mixtures) = (job, job.Continual!, report, new MixtureChecks(job, report));

    public static void All(JobSpec job, SpecReport report)
    {
        BatchChecks.Check(job.Batch, job.Leaf ?? Math.Min(job.Batch ?? 1, Spec.Stages.DefaultLeaf), "batch", "leaf", report);
        if (job.Continual is not { Schedule: not null, Stages: not null }) { return; }
        var checks = new ContinualChecks(job, report);
        if (checks.AreTooMany()) { return; }
        new RateChecks($"{Path}.schedule", report).Check(checks._spec.Schedule);
        foreach (var (index, stage) in checks._spec.Stages.Index()) { checks.Stage(stage, index, $"{Path}.stages[{index}]"); }
        foreach (var (index, release) in checks._spec.Releases.Index()) { checks.ReleaseWithin(release, $"{Path}.releases[{index}]"); }
        HashChecks.Sha256(checks._spec.Start?.WeightsSha256, $"{Path}.start.weightsSha256", report);
        checks.Drift();
        checks.BranchOf();
        checks.Sequence();
        checks.Preview();
    }

    private bool AreTooMany()
    {
        if (_spec.Stages.Count > MaxStages) { _report.Broken($"{Path}.stages", $"{_spec.Stages.Count} stages", $"at most {MaxStages}"); }
        if (_spec.Releases.Count > MaxReleases) { _report.Broken($"{Path}.releases", $"{_spec.Releases.Count} releases", $"at most {MaxReleases}"); }
        return _spec.Stages.Count > MaxStages || _spec.Releases.Count > MaxReleases;
    }

    private void Stage(ContinualStageSpec stage, int index, string path)
    {
        var earlier = _spec.Stages.Take(index).ToArray();
        if (earlier.Any(e => e.Name == stage.Name))
        {
            _report.Broken($"{path}.name", $"{Quote.Show(stage.Name)}, the name of an earlier stage", "a name of its own for each stage");
        }

        HashChecks.Sha256(stage.Sha256, $"{path}.sha256", _report);
        SpecChecks.ModelFitsData(_job.Model, stage.Data, $"{path}.data.kind", _report);
        _mixtures.Check(stage.Mixture, index, $"{path}.mixture");
        From(stage, earlier.LastOrDefault(), path);
        if (stage.Release is { } release)
        {
            if (release.At is not null)
            {
                _report.Broken($"{path}.release.at", "an update for the release of a stage, which comes at its end", $"this key in {Path}.releases");
            }

            Release(release, stage, index, $"{path}.release");
        }
    }

    private void Drift()
    {
        if (_spec.Drift is not { } drift) { return; }
        const string key = $"{Path}.drift.share";
        if (drift.Action == DriftAction.RaiseReplay != drift.Share is not null)
        {
            _report.Broken(key, drift.Share is null ? "missing, where replay is to be raised" : "a share, where replay is not raised", "the earlier stages' part of a batch with action: raiseReplay, and no such key otherwise", $"{Path}.drift.action");
        }
        else if (drift.Share is { } share && _spec.Stages.Count > 1)
        {
            _mixtures.Check(new MixtureSpec.Replay { Share = share }, _spec.Stages.Count - 1, key);
        }
    }

    /// <summary>An annealed state is gone on from only where it is named, and only the newest one is at hand.</summary>
    private void From(ContinualStageSpec stage, ContinualStageSpec? before, string path)
    {
        if (stage.From is not { } from) { return; }
        var at = before?.Release is { } release ? ReleaseNames.Of(release, before) : null;
        if (before?.Release?.Branch == BranchPlace.Apart)
        {
            _report.Broken($"{path}.from", $"{Quote.Show(from)} with a stage before that ends with a release apart, which the trunk does not wait for", "this key with branch: inTrunk there, or no such key to go on from the trunk");
        }
        else if (from != at)
        {
            var allowed = at is null ? "this key after a stage that ends with a release" : $"{at}, or no such key to go on from the trunk";
            _report.Broken($"{path}.from", $"{Quote.Show(from)}, which is no release at the end of the stage before", allowed);
        }
    }

    private void ReleaseWithin(ReleaseSpec release, string path)
    {
        var total = _spec.Stages.Sum(stage => stage.Updates);
        if (release.At is not { } at)
        {
            _report.Broken($"{path}.at", "no such key", $"the update of the trunk after which it forks, 1 to {total}");
            return;
        }

        if (at > total)
        {
            _report.Broken($"{path}.at", $"{at}, after the last update of the trunk", $"a whole number from 1 to {total}", $"{Path}.stages");
            return;
        }

        var (index, end) = (0, _spec.Stages[0].Updates);
        while (end < at) { end += _spec.Stages[++index].Updates; }
        Release(release, _spec.Stages[index], index, path);
    }

    private void Release(ReleaseSpec release, ContinualStageSpec stage, int index, string path)
    {
        if (!_releases.TryAdd(ReleaseNames.Of(release, stage), release.Branch ?? BranchPlace.InTrunk) && _spec.Stages.Count(s => s.Name == stage.Name) == 1)
        {
            _report.Broken($"{path}.name", $"{Quote.Show(ReleaseNames.Of(release, stage))}, the name of another release", "a name of its own for each release");
        }

        var lowest = release.Min ?? RateChecks.MinOf(_spec.Schedule);
        if (lowest is null)
        {
            _report.Broken($"{path}.min", $"no such key, and {Path}.schedule has no min", "the rate at the end of the annealing", $"{Path}.schedule");
        }
        else if (lowest == 0 && release.Tail == AnnealTail.Exponential)
        {
            _report.Broken($"{path}.min", $"a min of 0 with an exponential tail, which never gets there", "a min above 0, or another tail", $"{Path}.schedule.min", $"{path}.tail");
        }
        else if (Stays(_spec.Schedule) is { } stays && release.Min > stays)
        {
            _report.Broken($"{path}.min", FormattableString.Invariant($"{release.Min}, above the rate of the trunk"), FormattableString.Invariant($"a number at most {stays}"), $"{Path}.schedule");
        }

        if (release.Mixture is { } mixture) { _mixtures.Check(mixture, index, $"{path}.mixture"); }
        Workers(release, path);
    }

    private void Workers(ReleaseSpec release, string path)
    {
        if (release.Workers is not { } workers) { return; }
        if (release.Branch != BranchPlace.Apart)
        {
            _report.Broken($"{path}.workers", "workers for a release that anneals on those of the trunk", "this key with branch: apart", $"{path}.branch");
        }

        SpecChecks.WorkersAreOrdered($"{path}.workers", workers, _report);
    }

    /// <summary>The job is a branch of one that has such a release.</summary>
    private void BranchOf()
    {
        if (_spec.BranchOf is not { } branch) { return; }
        if (!Ids.IsValid(branch.Job)) { _report.Broken($"{Path}.branchOf.job", Quote.Show(branch.Job), Ids.Rule); }
        if (_releases.GetValueOrDefault(branch.Release) != BranchPlace.Apart)
        {
            string[] apart = [.. _releases.Where(release => release.Value == BranchPlace.Apart).Select(release => release.Key)];
            _report.Broken($"{Path}.branchOf.release", $"{Quote.Show(branch.Release)}, which is no release with branch: apart", apart.Length == 0 ? "a spec with such a release" : string.Join(", ", apart));
        }
    }

    /// <summary>The rate at which the trunk stays, where it does.</summary>
    private static double? Stays(RateSpec spec) => spec switch
    {
        RateSpec.Infinite s => s.Constant,
        RateSpec.ConstantRate s => s.Rate,
        RateSpec.WarmupStableDecay { DecayStart: null } s => s.Max,
        _ => null,
    };

    private void Sequence()
    {
        if (_job.Sequence is not { } sequence) { return; }
        if (Spec.Stages.ContextOf(_job.Model) is not { } context)
        {
            _report.Broken("sequence", "tokens per sample with a model that reads no text", "this key with model.kind gpt or bert", "model.kind");
        }
        else if (sequence > context)
        {
            _report.Broken("sequence", $"{sequence}, more than model.context", $"a whole number at least 2 and at most {context}", "model.context");
        }
    }

    private void Preview()
    {
        if (_spec.Preview is not null && _job.Model is not (null or ModelSpec.Gpt))
        {
            _report.Broken($"{Path}.preview", $"a text to write with model.kind {SpecNames.Of(_job.Model.GetType())}", "this key with model.kind gpt", "model.kind");
        }
    }
}
