using System.Collections.Immutable;
using Cluster.Contracts.Jobs;

namespace Cluster.Grains.Jobs;

/// <summary><see cref="JobProgress"/> as it is stored. Bounded, whatever the length of the job.</summary>
[GenerateSerializer, Immutable, Alias("cluster.job-progress-state")]
internal sealed record JobProgressState
{
    [Id(0)] public long Round { get; init; }

    [Id(1)] public long Rounds { get; init; }

    [Id(2)] public string? Checkpoint { get; init; }

    /// <summary>The newest, oldest first.</summary>
    [Id(3)] public ImmutableArray<RoundSample> Samples { get; init; } = [];

    /// <summary>Number of the last of <see cref="Samples"/>; they are numbered from 1 without gaps.</summary>
    [Id(4)] public long NewestNumber { get; init; }

    /// <summary>Id of the worker that told the newest sample.</summary>
    [Id(5)] public string? Teller { get; init; }

    /// <summary>The first sample that it told without another in between.</summary>
    [Id(6)] public RoundSample? FirstOfTeller { get; init; }

    [Id(7)] public ImmutableDictionary<string, double> Metrics { get; init; } = ImmutableDictionary<string, double>.Empty;

    [Id(8)] public ImmutableArray<string> Notices { get; init; } = [];

    [Id(9)] public ImmutableArray<JobEvent> Events { get; init; } = [];

    /// <summary>In the order in which they came.</summary>
    [Id(10)] public ImmutableArray<WorkerProgress> Workers { get; init; } = [];

    [Id(11)] public MetricHistoryState History { get; init; } = new();
}

/// <summary>What one worker process has done for the job.</summary>
/// <param name="Session">The newest of its sessions with the job that is known.</param>
/// <param name="LeavesBefore">Of <paramref name="LeavesComputed"/>, those of earlier sessions.</param>
[GenerateSerializer, Immutable, Alias("cluster.worker-progress")]
internal sealed record WorkerProgress(
    [property: Id(0)] string Id,
    [property: Id(1)] int ProcessId,
    [property: Id(2)] long LeavesComputed,
    [property: Id(3)] long Round,
    [property: Id(4)] long Session,
    [property: Id(5)] long LeavesBefore,
    [property: Id(6)] Guid Life)
{
    /// <summary>What no two processes share.</summary>
    public (string Id, int ProcessId, Guid Life) Process => (Id, ProcessId, Life);

    /// <summary>The same of a worker that reports.</summary>
    public static (string Id, int ProcessId, Guid Life) ProcessOf(WorkerInfo worker) => (worker.Id, worker.ProcessId, worker.Life);
}
