using System.Text.Json.Serialization;

namespace Cluster.Contracts.Api;

/// <summary>Body of <c>POST /api/v1/jobs/ID/append</c>: one more stage for a continual job.</summary>
/// <param name="Stage">YAML of one item of <c>continual.stages</c>, at most 64 KiB.</param>
/// <param name="DataRoots">Folders in which relative data paths are looked for after the job's own: absolute, as the workers see them. At most 32.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record AppendRequest(string Stage, IReadOnlyList<string>? DataRoots = null);

/// <summary>Body of <c>POST /api/v1/jobs/ID/release</c>: one more release of a continual job.</summary>
/// <param name="Release">
/// YAML of one item of <c>continual.releases</c>, at most 64 KiB. Without <c>at</c> it forks at the next update, without
/// <c>updates</c> it anneals as long as the job's last release.
/// </param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ReleaseRequest(string Release);
