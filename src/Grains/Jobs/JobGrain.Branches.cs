using System.Collections.Immutable;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Continual;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Jobs;

/// <summary>What a trunk owes to the releases that anneal apart: a job each.</summary>
internal sealed partial class JobGrain
{
    private readonly Dictionary<string, string?> _submitted = []; // By job, with the refusal; the next write notes it.
    private (string? SpecText, ImmutableArray<Fork> Forks) _forks = (null, []);
    private Task _submitting = Task.CompletedTask;

    /// <summary>Of the spec as it is now, which is read once.</summary>
    private ImmutableArray<Fork> ForksOf(JobGrainState s)
    {
        if (s.Effective?.SpecText is { } text && !ReferenceEquals(text, _forks.SpecText))
        {
            _forks = (text, SpecReader.Read(text, Id).Spec?.Continual is { } continual ? ContinualPlan.Of(continual).Forks : []);
        }

        return _forks.Forks;
    }

    /// <summary>Not awaited by what brings it about, like <see cref="TellPool"/>: the trunk goes on meanwhile.</summary>
    private void SubmitBranches()
    {
        if (store.State.OwesBranches && _submitting.IsCompleted)
        {
            _submitting = SubmitAll([.. store.State.Branches.Where(branch => branch.Pending is not null && !_submitted.ContainsKey(branch.JobId))]);
        }
    }

    /// <param name="branches">As they are stored: what is noted meanwhile is not durable yet, and comes with the next call.</param>
    private async Task SubmitAll(ImmutableArray<Branch> branches)
    {
        foreach (var branch in branches)
        {
            try
            {
                _submitted[branch.JobId] = (await GrainFactory.GetGrain<IJobGrain>(branch.JobId).Submit(branch.Pending!)).Refusal;
            }
            catch (Exception e)
            {
                LogBranchNotSubmitted(e, Id, branch.JobId, e.Message);
                return; // The timer tries again.
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Job {Job} could not submit its branch {Branch} and tries again: {Problem}")]
    private partial void LogBranchNotSubmitted(Exception exception, string job, string branch, string problem);
}
