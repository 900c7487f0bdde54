namespace Cluster.Grains.Pool;

/// <summary>A pool in numbers. Every word is there, also with 0: a curve that is not there is not the same as one at 0.</summary>
internal static class PoolCounts
{
    /// <summary><c>idle</c>, <c>busy</c>, or <c>draining</c>: drained or leaving, whatever it still does.</summary>
    public static IReadOnlyDictionary<string, int> Workers(Pool p)
    {
        var counts = Words("idle", "busy", "draining");
        foreach (var worker in p.Roster.Workers)
        {
            counts[worker.Worker.IsLeaving || p.State.Draining.Contains(worker.Worker.Id) ? "draining" : worker.JobId is null ? "idle" : "busy"]++;
        }

        return counts;
    }

    /// <summary>
    /// Why jobs wait. The first: <c>too_few_idle</c> workers, or enough of which some are not for it (<c>idle_not_usable</c>: of a site
    /// that it does not name, or out of its peers' reach). All others are <c>behind_others</c>.
    /// </summary>
    public static IReadOnlyDictionary<string, int> Queued(Pool p)
    {
        var counts = Words("too_few_idle", "idle_not_usable", "behind_others");
        if (p.State.Queue is [var head, .. var others])
        {
            counts[p.Roster.IdleCount < head.MinWorkers ? "too_few_idle" : "idle_not_usable"]++;
            counts["behind_others"] = others.Length;
        }

        return counts;
    }

    private static SortedDictionary<string, int> Words(params ReadOnlySpan<string> words)
    {
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var word in words) { counts.Add(word, 0); }
        return counts;
    }
}
