namespace Cluster.Contracts.Jobs;

/// <summary>A worker process and where its peers reach it.</summary>
/// <param name="Id">Unique for the life of the process.</param>
/// <param name="Host">Address on which the data plane listens.</param>
/// <param name="Port">Its port, chosen by the system.</param>
/// <param name="Gpus">GPUs that the process can use.</param>
/// <param name="MemoryBytes">Memory of the machine, or the limit of its container.</param>
[GenerateSerializer, Immutable, Alias("cluster.worker-info")]
public sealed record WorkerInfo(
    [property: Id(0)] string Id,
    [property: Id(1)] int ProcessId,
    [property: Id(2)] string Host,
    [property: Id(3)] int Port,
    [property: Id(4)] int Cores,
    [property: Id(5)] int Gpus,
    [property: Id(6)] long MemoryBytes);

/// <summary>Where the pool has put a worker.</summary>
/// <param name="JobId">The job that it serves; null when it is idle.</param>
/// <param name="Version">Rises with every change of the pool: of two answers, the one with the higher version holds.</param>
[GenerateSerializer, Immutable, Alias("cluster.worker-place")]
public sealed record WorkerPlace([property: Id(0)] string? JobId, [property: Id(1)] long Version);
