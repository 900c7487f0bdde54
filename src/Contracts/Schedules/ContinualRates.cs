using Cluster.Contracts.Spec.Continual;

namespace Cluster.Contracts.Schedules;

/// <summary>The learning rates of a continual job, of its trunk and of its releases: functions of the spec and of numbers of updates alone.</summary>
public sealed class ContinualRates(ContinualSpec spec, ContinualPlan plan)
{
    private readonly long[] _lengths = [.. plan.Stages.Select(stage => stage.Updates)];

    /// <summary>η = schedule(n).</summary>
    /// <param name="n">As <see cref="TrunkRate"/> counts.</param>
    public double Trunk(long n) => TrunkRate.At(n, spec.Schedule, _lengths);

    /// <summary>η = F·(m/F)^(j/t_a), or another tail, with F = schedule(n) at the fork.</summary>
    /// <param name="fork">n: the trunk's update after which the release forks.</param>
    /// <param name="j">The release's own update, from 1; 0 is the fork.</param>
    public double Branch(Release release, long fork, long j) => Annealing.Rate((double)j / release.Updates, Trunk(fork), release.Min, release.Tail);
}
