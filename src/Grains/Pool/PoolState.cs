using System.Collections.Immutable;
using Cluster.Contracts.Jobs;

namespace Cluster.Grains.Pool;

/// <summary>
/// What a pool must not forget. Which workers are there is not here: they offer themselves again.
/// </summary>
[GenerateSerializer, Immutable, Alias("cluster.pool-state")]
internal sealed record PoolState
{
    /// <summary>Rises with every change.</summary>
    [Id(0)] public long Version { get; init; }

    /// <summary>Jobs without workers yet, first come first.</summary>
    [Id(1)] public ImmutableArray<QueuedJob> Queue { get; init; } = [];

    /// <summary>Jobs that have their workers, in the order in which they got them. No worker serves two.</summary>
    [Id(2)] public ImmutableArray<PlacedJob> Placed { get; init; } = [];
}

[GenerateSerializer, Immutable, Alias("cluster.queued-job")]
internal sealed record QueuedJob([property: Id(0)] string JobId, [property: Id(1)] int Workers);

/// <param name="Workers">In the order in which they registered.</param>
[GenerateSerializer, Immutable, Alias("cluster.placed-job")]
internal sealed record PlacedJob([property: Id(0)] string JobId, [property: Id(1)] ImmutableArray<WorkerInfo> Workers);

/// <summary>The next state and why, in words. The same instance means that nothing changed.</summary>
internal readonly record struct PoolStep(PoolState State, string Reason);
