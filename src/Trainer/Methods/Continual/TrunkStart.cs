using Cluster.Contracts;
using Cluster.Contracts.Lineage;
using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Continual;
using Cluster.Trainer.Core.Checkpoints;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Models;

namespace Cluster.Trainer.Methods.Continual;

/// <summary>The weights of an earlier job with which a trunk begins.</summary>
internal static class TrunkStart
{
    /// <summary>The spec with the hash of the weights it begins from, so that they are part of the answer wherever they lie.</summary>
    /// <exception cref="BadInputException">The checkpoint is missing or damaged, is not the recorded one, or is annealed and not named. So with the next.</exception>
    public static JobSpec Record(JobSpec spec, IReadOnlyList<string> roots)
    {
        if (spec.Continual is not { Start: { } start } continual) { return spec; }
        var checkpoint = Open(start, roots);
        return spec with { Continual = continual with { Start = start with { Checkpoint = checkpoint.Path, WeightsSha256 = checkpoint.Manifest.WeightsSha256 } } };
    }

    public static void Load(StartSpec start, IReadOnlyList<string> roots, FlatModel model) =>
        CheckpointStore.LoadModel(Open(start, roots), model.Layout, model.Theta);

    private static Checkpoint Open(StartSpec start, IReadOnlyList<string> roots)
    {
        var checkpoint = CheckpointStore.Open(DataSearch.FindFolder(start.Checkpoint, roots));
        if (Refusal(start, checkpoint.Manifest.Lineage) is { } reason) { throw new BadInputException($"continual.start: {checkpoint.Path} {reason}"); }
        if (start.WeightsSha256 is { } recorded && recorded != checkpoint.Manifest.WeightsSha256)
        {
            throw new BadInputException($"continual.start: {checkpoint.Path} has the weights {checkpoint.Manifest.WeightsSha256}; recorded were {recorded}");
        }

        return checkpoint;
    }

    /// <summary>Why a trunk may not begin there, in words; null where it may.</summary>
    /// <param name="node">Null where the checkpoint's job had one line of states.</param>
    private static string? Refusal(StartSpec start, LineageNode? node) => (start.Release, node) switch
    {
        (null, { IsOnBranch: true }) =>
            $"is annealed: it is on the branch of release {node.Release}, whose rate was lowered for use. Begin from its fork, {JobLayout.CheckpointOf(node.Origin ?? 0)}{(node.OriginJob is { } job ? $" of {job}" : "")}, or name it with release: {node.Release}",
        ({ } named, not { Kind: NodeKind.Release }) => $"is no release, though it is named as release {named}",
        ({ } named, { Release: var found }) when named != found => $"is release {found}, not {named}",
        _ => null,
    };
}
