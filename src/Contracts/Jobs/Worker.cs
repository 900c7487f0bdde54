namespace Cluster.Contracts.Jobs;

/// <summary>A worker process and where its peers reach it.</summary>
/// <param name="Id">Unique among the workers alive: a process that takes a name over waits until the other's lease has ended.</param>
/// <param name="Host">Address on which the data plane listens.</param>
/// <param name="Port">Its port, chosen by the system.</param>
/// <param name="Gpus">GPUs that the process can use.</param>
/// <param name="MemoryBytes">Memory of the machine, or the limit of its container.</param>
/// <param name="Labels">What its operator says of it, for people: <c>zone=a,disk=fast</c>; may be empty.</param>
/// <param name="IsLeaving">It is about to end: it takes no more work, and asks to be let go from what it has.</param>
[GenerateSerializer, Immutable, Alias("cluster.worker-info")]
public sealed record WorkerInfo(
    [property: Id(0)] string Id,
    [property: Id(1)] int ProcessId,
    [property: Id(2)] string Host,
    [property: Id(3)] int Port,
    [property: Id(4)] int Cores,
    [property: Id(5)] int Gpus,
    [property: Id(6)] long MemoryBytes,
    [property: Id(7)] string Labels = "",
    [property: Id(8)] bool IsLeaving = false)
{
    /// <summary>The site whose data it holds; empty for none. Jobs that do not name the site get no such worker.</summary>
    [Id(9)]
    public string Site { get; init; } = "";

    /// <summary>Drawn when the process starts: in a container that is started again, name, address and process id (1) stay what they were.</summary>
    [Id(10)]
    public Guid Life { get; init; }

    /// <summary>Whether both are the same life of the same process, whatever else changed.</summary>
    public bool IsSameProcess(WorkerInfo other) =>
        (Id, Life, ProcessId, Host, Port) == (other.Id, other.Life, other.ProcessId, other.Host, other.Port);
}

/// <summary>Where the pool has put a worker.</summary>
/// <param name="JobId">The job that it serves; null when it is idle.</param>
/// <param name="Version">Rises with every change of the pool: of two answers, the one with the higher version holds.</param>
[GenerateSerializer, Immutable, Alias("cluster.worker-place")]
public sealed record WorkerPlace([property: Id(0)] string? JobId, [property: Id(1)] long Version);
