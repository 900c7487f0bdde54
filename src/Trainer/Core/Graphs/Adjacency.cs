namespace Cluster.Trainer.Core.Graphs;

/// <summary>
/// Who sends messages to whom: for every node the sorted list of the nodes that send to it, without itself and without repeats.
/// </summary>
internal sealed class Adjacency
{
    private readonly int[] _first;   // [Nodes + 1]
    private readonly int[] _senders; // [Messages]

    /// <param name="messages">Sender and receiver, below <paramref name="nodes"/>. Self loops are left out, repeats count once.</param>
    public Adjacency(int nodes, IEnumerable<(int From, int To)> messages)
    {
        var sorted = messages.Where(m => m.From != m.To).Distinct().OrderBy(m => m.To).ThenBy(m => m.From).ToArray();
        _senders = [.. sorted.Select(m => m.From)];
        _first = new int[nodes + 1];
        foreach (var (from, to) in sorted)
        {
            if (from < 0 || from >= nodes || to < 0 || to >= nodes) { throw new ArgumentOutOfRangeException(nameof(messages), (from, to), $"nodes are 0 to {nodes - 1}"); }
            _first[to + 1]++;
        }

        for (var node = 0; node < nodes; node++) { _first[node + 1] += _first[node]; }
    }

    public int Nodes => _first.Length - 1;

    /// <summary>Messages, self loops not among them: an undirected edge is two.</summary>
    public int Messages => _senders.Length;

    /// <summary>The nodes that send to this one, in order.</summary>
    public ReadOnlySpan<int> SendersTo(int node) => _senders.AsSpan(_first[node], _first[node + 1] - _first[node]);

    public IEnumerable<(int From, int To)> All()
    {
        for (var to = 0; to < Nodes; to++)
        {
            for (var i = _first[to]; i < _first[to + 1]; i++) { yield return (_senders[i], to); }
        }
    }

    /// <summary>Messages in both directions of each edge.</summary>
    public static Adjacency Undirected(int nodes, IEnumerable<(int, int)> edges) =>
        new(nodes, edges.SelectMany(edge => (IEnumerable<(int, int)>)[edge, (edge.Item2, edge.Item1)]));

    /// <summary>With more nodes behind, and more undirected edges.</summary>
    public Adjacency With(int moreNodes, IEnumerable<(int, int)> edges) =>
        new(Nodes + moreNodes, All().Concat(edges.SelectMany(edge => (IEnumerable<(int, int)>)[edge, (edge.Item2, edge.Item1)])));
}
