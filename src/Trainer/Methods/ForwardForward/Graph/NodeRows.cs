using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>Nodes as rows of what has one row a node.</summary>
internal static class NodeRows
{
    /// <summary>Indices for libtorch, [n], int64.</summary>
    public static Tensor Of(IEnumerable<int> nodes) => tensor(nodes.Select(node => (long)node).ToArray());
}
