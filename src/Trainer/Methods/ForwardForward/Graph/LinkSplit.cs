using System.Collections.Immutable;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Graphs;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>
/// The undirected edges of a graph, shared out: 64 % to learn from, 16 % to validate, 20 % for the test, and beside each joined pair
/// one that is not joined anywhere in the graph. A function of graph and seed.
/// </summary>
internal sealed record LinkSplit(LinkPairs Train, LinkPairs Validation, LinkPairs Test)
{
    private const double TestShare = 0.2;
    private const double ValidationShare = 0.16;

    /// <exception cref="Contracts.BadInputException">The graph has too few edges, or too few pairs without one.</exception>
    public static LinkSplit Of(Adjacency graph, long seed)
    {
        (int, int)[] edges = [.. graph.All().Where(edge => edge.From < edge.To)];
        var (test, validation) = ((int)(edges.Length * TestShare), (int)(edges.Length * ValidationShare));
        var pairs = (long)graph.Nodes * (graph.Nodes - 1) / 2;
        if (validation < 1 || pairs < 3L * edges.Length)
        {
            throw new Contracts.BadInputException($"a graph of {graph.Nodes} nodes and {edges.Length} edges is too small or too dense to learn links from: at least 7 edges, and twice as many pairs without one, are needed");
        }

        var deal = new Permutation(Seeds.Derive(seed, SeedPurpose.EdgeSplit), edges.Length);
        ImmutableArray<(int, int)> joined = [.. Enumerable.Range(0, edges.Length).Select(i => edges[deal[i]])];
        var apart = Apart(graph, edges.Length, seed);
        return new LinkSplit(Part(test + validation, edges.Length), Part(test, test + validation), Part(0, test));

        LinkPairs Part(int from, int to) => new(joined[from..to], apart[from..to]);
    }

    /// <summary>Different pairs of nodes without an edge between them.</summary>
    private static ImmutableArray<(int, int)> Apart(Adjacency graph, int count, long seed)
    {
        var random = new SeededRandom(Seeds.Derive(seed, SeedPurpose.EdgeSplit, 1));
        var taken = new HashSet<(int, int)>();
        var pairs = ImmutableArray.CreateBuilder<(int, int)>(count);
        while (pairs.Count < count)
        {
            var (a, b) = (random.NextInt(graph.Nodes), random.NextInt(graph.Nodes));
            var pair = (Math.Min(a, b), Math.Max(a, b));
            if (a != b && graph.SendersTo(a).BinarySearch(b) < 0 && taken.Add(pair)) { pairs.Add(pair); }
        }

        return pairs.ToImmutable();
    }
}

/// <summary>As many pairs that are joined as pairs that are not.</summary>
internal sealed record LinkPairs(ImmutableArray<(int From, int To)> Joined, ImmutableArray<(int From, int To)> Apart);
