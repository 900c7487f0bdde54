using System.Collections.Immutable;
using Cluster.Contracts;
using Cluster.Contracts.Spec.Continual;
using Cluster.Trainer.Core.Checkpoints;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.State;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.Continual;

/// <summary>The trunk's state at a fork, from which a branch begins that is a job of its own.</summary>
internal static class TrunkFork
{
    /// <summary>Fills the buffers, and those counters that the branch has too: t, and the newest stage.</summary>
    /// <param name="state">Of the branch: weights and moments, no copy of the trunk's.</param>
    /// <exception cref="BadInputException">The checkpoint is missing or damaged, or is not that of the fork.</exception>
    public static void Load(BranchOfSpec branch, Fork fork, IReadOnlyList<string> roots, MethodState state)
    {
        var checkpoint = CheckpointStore.Open(DataSearch.FindFolder(branch.Checkpoint, roots));
        if (Refusal(branch, fork, checkpoint.Manifest) is { } reason) { throw new BadInputException($"continual.branchOf: {checkpoint.Path} {reason}"); }

        // A trunk that also has releases between its updates has room for its copy in its checkpoints, which is of no use here.
        var saved = checkpoint.Manifest.Counters;
        using var aside = saved.ContainsKey(TrunkCopy.Counter) ? new TrunkCopy(state.Buffers, CPU) : null;
        var counters = new SortedDictionary<string, long>(saved, StringComparer.Ordinal);
        CheckpointStore.Load(checkpoint, new MethodState(state.Layout, [.. state.Buffers, .. aside?.Buffers ?? []], counters));
        foreach (var name in state.Counters.Keys.ToImmutableArray()) { state.Counters[name] = counters[name]; }
    }

    /// <summary>Why the branch may not begin there, in words; null where it may.</summary>
    private static string? Refusal(BranchOfSpec branch, Fork fork, CheckpointManifest found) =>
        found.Job != branch.Job ? $"belongs to job '{found.Job}', not to the trunk '{branch.Job}'"
        : found.Lineage is not { IsOnBranch: false } node || node.Step != fork.Update || found.Round != fork.Round
            ? $"is not the trunk after update {fork.Update}, where release {branch.Release} forks"
            : null;
}
