using System.Collections.Immutable;
using Cluster.Contracts.Jobs;

namespace Cluster.Grains.Pool;

/// <summary>What a pool must not forget. Which idle workers are there is not here: they offer themselves again.</summary>
[GenerateSerializer, Immutable, Alias("cluster.pool-state")]
internal sealed record PoolState
{
    /// <summary>Rises with every change.</summary>
    [Id(0)] public long Version { get; init; }

    /// <summary>Jobs without workers, first come first.</summary>
    [Id(1)] public ImmutableArray<PoolJob> Queue { get; init; } = [];

    /// <summary>Jobs that have workers, in the order in which they got them. No worker serves two.</summary>
    [Id(2)] public ImmutableArray<PoolJob> Placed { get; init; } = [];

    /// <summary>Ids of workers that get no job until they are undrained, also when they come back as another process.</summary>
    [Id(3)] public ImmutableHashSet<string> Draining { get; init; } = [];

    public PoolJob? Find(string jobId) => Placed.FirstOrDefault(p => p.JobId == jobId) ?? Queue.FirstOrDefault(q => q.JobId == jobId);
}

/// <param name="Ticket">Its place in the order of arrival: lower came first. A job that lost all its workers keeps it.</param>
/// <param name="Workers">Its grant, in the order in which it got them; empty in the queue.</param>
/// <param name="GrantVersion">Version of the pool at which <paramref name="Workers"/> became so.</param>
[GenerateSerializer, Immutable, Alias("cluster.pool-job")]
internal sealed record PoolJob(
    [property: Id(0)] string JobId,
    [property: Id(1)] int MinWorkers,
    [property: Id(2)] int MaxWorkers,
    [property: Id(3)] long Ticket,
    [property: Id(4)] ImmutableArray<WorkerInfo> Workers,
    [property: Id(5)] long GrantVersion)
{
    /// <summary>Workers that it cannot use, in this life of theirs.</summary>
    [Id(6)] public ImmutableArray<WorkerInfo> Excluded { get; init; } = [];

    /// <summary>Sites whose data it asks for: it gets every worker that is there, beyond its maximum.</summary>
    [Id(7)] public ImmutableArray<string> Sites { get; init; } = [];

    /// <summary>A site's worker serves only who names the site.</summary>
    public bool CanUse(WorkerInfo worker) => (worker.Site.Length == 0 || Sites.Contains(worker.Site)) && !Excluded.Any(worker.IsSameProcess);

    /// <summary>Those that count toward the maximum.</summary>
    public int Ordinary => Workers.Count(worker => worker.Site.Length == 0);
}
