using System.Collections.Immutable;

namespace Cluster.Contracts.Jobs;

/// <param name="SpecText">The effective spec as YAML, overrides applied: at most 1 MiB.</param>
/// <param name="SpecHash">Hash of what determines the answer.</param>
/// <param name="Directory">The job's folder under the store root, as the workers see it.</param>
/// <param name="DataRoots">Folders in which relative data paths are looked for, in order.</param>
/// <param name="MinWorkers">The job begins when so many workers are there: 1 to 1,024. It goes on with fewer.</param>
/// <param name="MaxWorkers">It grows to so many while workers are idle: from <paramref name="MinWorkers"/> to 1,024.</param>
/// <param name="Resume">Go on from the newest intact checkpoint in <paramref name="Directory"/>.</param>
[GenerateSerializer, Immutable, Alias("cluster.submission")]
public sealed record JobSubmission(
    [property: Id(0)] string SpecText,
    [property: Id(1)] string SpecHash,
    [property: Id(2)] string Directory,
    [property: Id(3)] ImmutableArray<string> DataRoots,
    [property: Id(4)] int MinWorkers,
    [property: Id(5)] int MaxWorkers,
    [property: Id(6)] bool Resume)
{
    /// <summary>Those that were taken; the spec has them.</summary>
    [Id(7)] public ImmutableArray<JobOrder> Orders { get; init; } = [];

    /// <summary>Rises whenever orders change the spec: workers that hold another version of the job begin anew with this one.</summary>
    [Id(8)] public long Version { get; init; }

    /// <summary>Sites that the spec names as clients: their workers serve the job beyond the maximum. At most 1,024.</summary>
    [Id(9)] public ImmutableArray<string> Sites { get; init; } = [];

    /// <summary>The trace of the submission (<see cref="Telemetry.TraceLink"/>); null for none. It decides nothing.</summary>
    [Id(10)] public string? TraceParent { get; init; }

    /// <summary>
    /// Id of the job that is its trunk, where it is the branch of a release; null otherwise. Such a job goes on from its newest checkpoint where
    /// it has one, and begins at the fork where it has none.
    /// </summary>
    [Id(11)] public string? Trunk { get; init; }
}

/// <param name="Refusal">Why the job was not taken, in words; null when it was.</param>
[GenerateSerializer, Immutable, Alias("cluster.submit-result")]
public sealed record SubmitResult([property: Id(0)] string? Refusal);
