using System.Collections.Concurrent;
using System.Collections.Immutable;
using Cluster.Client;
using Cluster.Contracts;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Continual;
using Cluster.Dashboard;

namespace Cluster.Cli.Run;

/// <summary>The jobs of a run: the one of its spec, and those in which its releases anneal apart.</summary>
internal sealed class BranchRuns(ControlPlane jobs, string trunk)
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(50);

    private readonly ConcurrentDictionary<string, bool> _followed = new() { [trunk] = true };
    private volatile string? _stopped; // By another thread, as the next.
    private volatile string? _failed;

    /// <summary>How many workers of the run the trunk takes: all of them, unless releases need some at the same time.</summary>
    /// <param name="workers">Of the run.</param>
    /// <exception cref="BadInputException">A release would wait for more workers than there are.</exception>
    public static (int Min, int Max) TrunkOf(JobSpec spec, int workers)
    {
        ImmutableArray<Fork> forks = spec.Continual is { } continual ? ContinualPlan.Of(continual).Forks : [];
        if (forks.IsEmpty) { return (workers, workers); }
        var most = forks.MaxBy(fork => fork.Workers.Min)!;
        return most.Workers.Min > workers
            ? throw new BadInputException($"release {most.Release.Name} asks for {most.Workers.Min} workers of its own, and there are {workers}: --workers takes {most.Workers.Min} and more")
            : (Math.Min(spec.Workers.Min, workers), Math.Min(spec.Workers.Max ?? spec.Workers.Min, workers));
    }

    /// <summary>Asks all of them to end at a checkpoint, those too that are yet to come.</summary>
    public void Stop(string reason)
    {
        _stopped = reason;
        foreach (var id in _followed.Keys) { _ = jobs.StopAsync(id, reason, CancellationToken.None); }
    }

    /// <summary>Ends all of them as failed.</summary>
    public void Fail(string reason)
    {
        _failed = reason;
        foreach (var id in _followed.Keys) { _ = jobs.FailAsync(id, reason, CancellationToken.None); }
    }

    /// <summary>Shows one branch after the other until it has ended, after the trunk.</summary>
    /// <param name="last">The trunk in its final state.</param>
    /// <param name="screenOf">Makes the screen for a branch.</param>
    public async Task<ImmutableArray<RunBranch>> FollowAsync(JobView last, Func<JobSpec, string, RunScreen> screenOf)
    {
        foreach (var branch in last.Branches) { _followed[branch.JobId] = true; }
        if (_stopped is { } stopped) { Stop(stopped); }
        var runs = ImmutableArray.CreateBuilder<RunBranch>();
        foreach (var branch in last.Branches) { runs.Add(await FollowAsync(branch, screenOf)); }
        return runs.ToImmutable();
    }

    private async Task<RunBranch> FollowAsync(BranchView branch, Func<JobSpec, string, RunScreen> screenOf)
    {
        JobView job;
        while ((job = await jobs.ViewAsync(branch.JobId, long.MaxValue, CancellationToken.None)).State is JobState.Unknown)
        {
            var now = (await jobs.ViewAsync(trunk, long.MaxValue, CancellationToken.None)).Branches.First(one => one.JobId == branch.JobId);
            if (now.Refusal is { } refusal) { return new(branch.Release, branch.JobId, JobState.Failed, refusal, WeightsSha256: null, Checkpoint: null); }
            await Task.Delay(Period);
        }

        // Of a run that ends meanwhile, it may have come too late to hear of that.
        if (_failed is { } failed) { await jobs.FailAsync(branch.JobId, failed, CancellationToken.None); }
        else if (_stopped is { } stopped) { await jobs.StopAsync(branch.JobId, stopped, CancellationToken.None); }

        var screen = screenOf(SpecReader.Read(job.Submission!.SpecText, branch.JobId).Require(), branch.JobId);
        var last = await screen.FollowAsync(jobs.WatchAsync(branch.JobId, 0, CancellationToken.None));
        return new(branch.Release, branch.JobId, last.State, last.Reason, last.WeightsSha256, last.Checkpoint);
    }
}
