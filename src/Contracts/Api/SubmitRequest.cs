using System.Text.Json.Serialization;

namespace Cluster.Contracts.Api;

/// <summary>Body of <c>POST /api/v1/jobs</c>.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record SubmitRequest
{
    /// <summary>The spec as YAML: at most 1 MiB.</summary>
    public required string Spec { get; init; }

    /// <summary>Exactly so many workers: the same as <see cref="MinWorkers"/> and <see cref="MaxWorkers"/> with this number.</summary>
    public int? Workers { get; init; }

    /// <summary>The job begins when so many workers are there, 1 to 1,024. By default what the spec says.</summary>
    public int? MinWorkers { get; init; }

    /// <summary>The job grows to so many while workers are idle, at most 1,024. By default what the spec says.</summary>
    public int? MaxWorkers { get; init; }

    /// <summary>
    /// 1 to 256 characters of the caller's choice. The same spec sent again with the same token is the same job, so that a
    /// submission whose answer was lost can be repeated. Without one, every request is a job of its own.
    /// </summary>
    public string? Token { get; init; }

    /// <summary>Folders in which relative data paths are looked for before the cluster's own: absolute, as the workers see them. At most 32.</summary>
    public IReadOnlyList<string>? DataRoots { get; init; }

    /// <summary>Overrides of the spec, each <c>key.path=value</c>, applied in order. At most 256.</summary>
    public IReadOnlyList<string>? Set { get; init; }
}

/// <param name="JobId">The spec's name and ten characters that tell it from others of that name.</param>
public sealed record SubmitResponse(string JobId);

/// <summary>Body of <c>POST /api/v1/jobs/ID/cancel</c> and <c>/pause</c>.</summary>
/// <param name="Reason">For the job's record, in words; what was asked for when left out.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ReasonRequest(string? Reason = null);
