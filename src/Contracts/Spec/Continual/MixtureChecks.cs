namespace Cluster.Contracts.Spec.Continual;

/// <summary>Rules of mixtures: shares that sum, stages that there are, and at least one sample of each in a batch.</summary>
internal sealed class MixtureChecks(JobSpec job, SpecReport report)
{
    private readonly ValueList<ContinualStageSpec> _stages = job.Continual!.Stages;

    /// <param name="path">Of the mixture.</param>
    /// <param name="stage">Index of the stage in which it is used.</param>
    public void Check(MixtureSpec mixture, int stage, string path)
    {
        if (mixture is MixtureSpec.Replay && stage == 0)
        {
            report.Broken(path, "a replay in the first stage, where nothing was seen before", "this mixture in a later stage");
        }
        else if (mixture is not MixtureSpec.Shares shares || SharesAreGood(shares, stage, path))
        {
            EachHasASample(mixture, stage, path);
        }
    }

    private bool SharesAreGood(MixtureSpec.Shares shares, int stage, string path)
    {
        var before = report.Count;
        var seen = new HashSet<string>();
        foreach (var (index, share) in shares.Of.Index())
        {
            var key = $"{path}.of[{index}].stage";
            var at = _stages.Index().FirstOrDefault(s => s.Item.Name == share.Stage, (Index: -1, Item: null!)).Index;
            if (at < 0 || at > stage)
            {
                var allowed = string.Join(", ", _stages.Take(stage + 1).Select(s => s.Name));
                report.Broken(key, $"{Quote.Show(share.Stage)}, {(at < 0 ? "which is no stage" : "a stage that comes later")}", $"one of {allowed}");
            }
            else if (!seen.Add(share.Stage))
            {
                report.Broken(key, $"{Quote.Show(share.Stage)} a second time", "each stage once");
            }
        }

        var sum = shares.Of.Sum(share => Mixture.Parts(share.Share));
        if (sum != Mixture.Unit)
        {
            var total = FormattableString.Invariant($"{(decimal)sum / Mixture.Unit:0.#########}");
            report.Broken($"{path}.of", $"shares that sum to {total}", "shares that sum to 1 (for equal ones there is kind: equal)");
        }

        return report.Count == before;
    }

    private void EachHasASample(MixtureSpec spec, int stage, string path)
    {
        if (job.Batch is not { } batch) { return; }
        var mixture = Mixture.Of(spec, stage, [.. _stages.Take(stage + 1).Select(s => s.Name)]);
        var least = mixture.Sources.Min(source => source.Weight);
        if ((Int128)least * batch < mixture.Total)
        {
            var needed = (mixture.Total + least - 1) / least;
            report.Broken(path, FormattableString.Invariant($"a share of less than one sample in the batch of {batch}"), FormattableString.Invariant($"larger shares, or a batch of at least {needed}"), "batch");
        }
    }
}
