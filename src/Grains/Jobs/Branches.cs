using System.Collections.Immutable;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Continual;

namespace Cluster.Grains.Jobs;

/// <summary>
/// Releases that anneal apart: once the trunk has come past a fork, there is a job that is its branch, and stays so whatever becomes of
/// either. What a branch is follows from the trunk's spec and id, so that a crash at any point leads to the same job.
/// </summary>
/// <remarks>
/// <code>
///   passed      the trunk has committed a round after the fork, so the fork's checkpoint was waited for
///   noted       the branch's submission is stored with the trunk's state
///   submitted   to the grain of its own id, as often as it takes: the same submission counts once
///   known       the trunk's state names the job, and owes nothing more
/// </code>
/// </remarks>
internal static class Branches
{
    /// <summary>Notes the branches of all forks that the trunk has passed.</summary>
    /// <param name="forks">Of the job's spec as it is now.</param>
    /// <param name="round">Rounds that the job is known to have committed.</param>
    public static JobGrainState Note(JobGrainState s, string jobId, ImmutableArray<Fork> forks, long round)
    {
        bool IsPassed(Fork fork) => fork.Round < round || s.State is JobState.Succeeded;
        return forks.Count(IsPassed) == s.Branches.Length ? s : s with
        {
            Branches = [.. s.Branches, .. forks.Where(fork => IsPassed(fork) && s.Branches.All(known => known.Release != fork.Release.Name)).Select(fork => Begin(s, jobId, fork))],
        };
    }

    /// <summary>These were submitted, or refused in words.</summary>
    public static JobGrainState Acknowledge(JobGrainState s, IReadOnlyDictionary<string, string?> answers) =>
        s.Branches.Any(branch => branch.Pending is not null && answers.ContainsKey(branch.JobId))
            ? s with { Branches = [.. s.Branches.Select(branch => answers.TryGetValue(branch.JobId, out var refusal) ? branch with { Pending = null, Refusal = refusal } : branch)] }
            : s;

    /// <summary>A stage that is on trial is no part of it: workers may lack its data.</summary>
    private static Branch Begin(JobGrainState s, string jobId, Fork fork)
    {
        var trunk = s.Before ?? s.Effective!;
        var id = BranchJobs.IdOf(jobId, fork.Release.Name);
        var spec = BranchJobs.SpecOf(SpecReader.Read(trunk.SpecText, jobId).Require(), fork, jobId, trunk.Directory);
        var submission = new JobSubmission(
            SpecText.Write(spec), SpecHash.Of(spec), BranchJobs.FolderOf(trunk.Directory, id), trunk.DataRoots,
            fork.Workers.Min, fork.Workers.Max ?? fork.Workers.Min, Resume: false) { Trunk = jobId, TraceParent = trunk.TraceParent };
        return new(fork.Release.Name, id, submission, Refusal: null);
    }
}

/// <summary>A release that anneals in a job of its own.</summary>
/// <param name="Pending">What is to be submitted; null once the job is there, or was refused.</param>
/// <param name="Refusal">Why it was, in words.</param>
[GenerateSerializer, Immutable, Alias("cluster.branch")]
internal sealed record Branch(
    [property: Id(0)] string Release, [property: Id(1)] string JobId, [property: Id(2)] JobSubmission? Pending, [property: Id(3)] string? Refusal);
