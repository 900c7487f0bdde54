using Cluster.Trainer.Core.Collectives;
using Cluster.Trainer.Methods;

namespace Cluster.Trainer.Rounds;

/// <summary>
/// Who computes which leaf where some belong to sites: a site's leaf goes to the lowest rank at that site and to nobody else, the others
/// go to the ranks that are at none, in even runs. A leaf whose site is not there is written off by the rank of the leaf before it.
/// </summary>
/// <remarks>
/// Pure: all ranks come to the same plan. The leaves keep their places in the canonical tree, and every rank a contiguous run; a round
/// in which sites and other leaves lie mixed has none such and is refused.
/// </remarks>
internal static class SiteRanges
{
    /// <param name="sites">By rank; null for a rank at no site.</param>
    public static LeafRanges Of(IReadOnlyList<Leaf> leaves, IReadOnlyList<string?> sites)
    {
        if (leaves.All(leaf => leaf.Site is null)) { return new LeafRanges(leaves.Count, sites.Count); }

        var owners = Owners(leaves, sites);
        var runs = new Node[sites.Count];
        for (int first = 0, end; first < owners.Length; first = end)
        {
            for (end = first + 1; end < owners.Length && owners[end] == owners[first]; end++) { }
            if (runs[owners[first]].Count > 0) { throw new ArgumentException($"the leaves of rank {owners[first]} are no contiguous run", nameof(leaves)); }
            runs[owners[first]] = new Node(first, end - first);
        }

        return new LeafRanges(leaves.Count, runs);
    }

    /// <summary>Whether no rank is at the leaf's site.</summary>
    public static bool IsAway(Leaf leaf, IReadOnlyList<string?> sites) => leaf.Site is { } site && !sites.Contains(site);

    private static int[] Owners(IReadOnlyList<Leaf> leaves, IReadOnlyList<string?> sites)
    {
        int[] free = [.. Enumerable.Range(0, sites.Count).Where(rank => sites[rank] is null)];
        if (free.Length == 0) { free = [leaves.Select(leaf => RankAt(leaf.Site)).FirstOrDefault(rank => rank >= 0, 0)]; }
        var even = new LeafRanges(leaves.Count(leaf => leaf.Site is null), free.Length);

        var owners = new int[leaves.Count];
        var (anyone, share) = (0, 0);
        for (var i = 0; i < owners.Length; i++)
        {
            var at = RankAt(leaves[i].Site);
            if (leaves[i].Site is null)
            {
                while (anyone >= even[share].End) { share++; }
                (at, anyone) = (free[share], anyone + 1);
            }

            owners[i] = at;
        }

        // Those that nobody can compute: to the neighbour before, at the beginning to the one after.
        for (var i = 1; i < owners.Length; i++) { owners[i] = owners[i] < 0 ? owners[i - 1] : owners[i]; }
        for (var i = owners.Length - 2; i >= 0; i--) { owners[i] = owners[i] < 0 ? owners[i + 1] : owners[i]; }
        return owners is [< 0, ..] ? new int[owners.Length] : owners;

        int RankAt(string? site)
        {
            for (var rank = 0; site is not null && rank < sites.Count; rank++)
            {
                if (sites[rank] == site) { return rank; }
            }

            return -1;
        }
    }
}
