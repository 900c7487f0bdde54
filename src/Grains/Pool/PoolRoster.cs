using System.Collections.Immutable;
using Cluster.Contracts.Jobs;

namespace Cluster.Grains.Pool;

/// <summary>The workers that are there, in the order in which they came. Every change costs the logarithm of their number.</summary>
internal sealed record PoolRoster
{
    private ImmutableDictionary<string, Present> All { get; init; } = ImmutableDictionary<string, Present>.Empty;

    /// <summary>By arrival, those that could be given to a job now.</summary>
    private ImmutableSortedDictionary<long, WorkerInfo> Idle { get; init; } = ImmutableSortedDictionary<long, WorkerInfo>.Empty;

    private long Arrivals { get; init; }

    public int Count => All.Count;

    public int IdleCount => Idle.Count;

    /// <summary>In the order in which they came.</summary>
    public IEnumerable<Present> Workers => All.Values.OrderBy(p => p.Arrival);

    /// <summary>After a restart of the pool: the workers of placed jobs count as there until somebody says otherwise.</summary>
    public static PoolRoster Of(PoolState state) => state.Placed
        .SelectMany(job => job.Workers.Select(worker => (job.JobId, worker)))
        .Aggregate(new PoolRoster(), (roster, placed) => roster.With(placed.worker, placed.JobId, state.Draining));

    public Present? Find(string workerId) => All.GetValueOrDefault(workerId);

    /// <summary>So many that <paramref name="job"/> can use, or as many as there are; those of its sites first.</summary>
    public ImmutableArray<WorkerInfo> FirstIdle(PoolJob job, int count) => job.Sites.IsEmpty
        ? [.. Idle.Values.Where(job.CanUse).Take(count)]
        : [.. AtSites(job).Concat(Idle.Values.Where(worker => worker.Site.Length == 0 && job.CanUse(worker))).Take(count)];

    /// <summary>All idle workers at the job's sites.</summary>
    public ImmutableArray<WorkerInfo> AtSites(PoolJob job) =>
        job.Sites.IsEmpty ? [] : [.. Idle.Values.Where(worker => worker.Site.Length > 0 && job.CanUse(worker))];

    /// <summary>The worker as it is now, in its old place in the order; a new one comes last.</summary>
    public PoolRoster With(WorkerInfo worker, string? jobId, ImmutableHashSet<string> draining)
    {
        var known = Find(worker.Id);
        var now = new Present(worker, known?.Arrival ?? Arrivals, jobId);
        return this with
        {
            All = All.SetItem(worker.Id, now),
            Idle = jobId is null && !worker.IsLeaving && !draining.Contains(worker.Id) ? Idle.SetItem(now.Arrival, worker) : Idle.Remove(now.Arrival),
            Arrivals = known is null ? Arrivals + 1 : Arrivals,
        };
    }

    public PoolRoster Without(string workerId) => Find(workerId) is { } known
        ? this with { All = All.Remove(workerId), Idle = Idle.Remove(known.Arrival) }
        : this;

    /// <param name="JobId">The job it serves; null for none.</param>
    internal sealed record Present(WorkerInfo Worker, long Arrival, string? JobId);
}
