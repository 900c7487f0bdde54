using Cluster.Contracts;
using Cluster.Contracts.Lineage;

namespace Cluster.Trainer.Core.Checkpoints;

/// <summary>From which checkpoint the next one follows: the one before it in its line, or where its line began.</summary>
/// <param name="newest">Folder name of the newest checkpoint; null before the first.</param>
/// <param name="newestNode">What that one is.</param>
internal sealed class ParentLine(string? newest, LineageNode? newestNode)
{
    private string? _newest = newest;
    private LineageNode? _newestNode = newestNode;

    /// <returns>Folder name; null for the first of all.</returns>
    public string? Of(LineageNode? node)
    {
        var isSameLine = (node?.Origin, node?.IsOnBranch) == (_newestNode?.Origin, _newestNode?.IsOnBranch);
        return isSameLine || node is null ? _newest
            : node.Origin is { } origin ? JobLayout.CheckpointOf(origin)
            : null;
    }

    public void Saved(string name, LineageNode? node) => (_newest, _newestNode) = (name, node);
}
