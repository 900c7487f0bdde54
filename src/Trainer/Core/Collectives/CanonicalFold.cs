namespace Cluster.Trainer.Core.Collectives;

/// <summary>
/// Adds adjacent nodes, pushed in order of position, as the canonical tree says: whatever the nodes are, the total comes from
/// the same additions. Drives vectors, chunks of vectors and scalars alike.
/// </summary>
/// <param name="leafCount">Leaves of the tree.</param>
/// <param name="add">Adds two siblings, the left one first; its first argument is the node that they form.</param>
internal sealed class CanonicalFold<T>(int leafCount, Func<Node, T, T, T> add)
{
    private readonly List<(Node Node, T Value)> _stack = [];

    /// <summary>The fewest nodes that cover what was pushed, in order of position.</summary>
    public IReadOnlyList<(Node Node, T Value)> Nodes => _stack;

    /// <summary>The sum over all leaves.</summary>
    /// <exception cref="InvalidOperationException">The pushed nodes do not cover all leaves.</exception>
    public T Total => _stack is [var (root, total)] && root == new Node(0, leafCount)
        ? total
        : throw new InvalidOperationException($"the nodes {string.Join(", ", _stack.Select(n => n.Node))} are not the sum over [0, {leafCount})");

    /// <exception cref="ArgumentException">The node does not follow the one before it.</exception>
    public void Push(Node node, T value)
    {
        if (_stack.Count > 0 && _stack[^1].Node.End != node.First)
        {
            throw new ArgumentException($"node {node} does not follow {_stack[^1].Node}", nameof(node));
        }

        // Merging at once keeps the stack as short as a binary counter's: at most log2(n) + 1 nodes.
        while (_stack.Count > 0 && CanonicalTree.AreSiblings(_stack[^1].Node, node, leafCount))
        {
            var (left, leftValue) = _stack[^1];
            _stack.RemoveAt(_stack.Count - 1);
            node = new Node(left.First, left.Count + node.Count);
            value = add(node, leftValue, value);
        }

        _stack.Add((node, value));
    }

    public void Clear() => _stack.Clear();
}
