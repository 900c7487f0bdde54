using System.Collections.Immutable;

namespace Cluster.Contracts.Api;

/// <summary>A file that was handed to the cluster. A spec names it as <c>upload:NAME</c>.</summary>
/// <param name="Sha256">64 lower-case hex digits.</param>
/// <param name="Uploaded">When it was complete.</param>
public sealed record UploadedFile(string Name, long Bytes, string Sha256, DateTimeOffset Uploaded);

/// <summary>Answer of <c>GET /api/v1/files</c>.</summary>
/// <param name="Files">By name.</param>
/// <param name="Total">How many there are.</param>
/// <param name="Next">The <c>skip</c> with which the list goes on; null at its end.</param>
public sealed record FilePage(ImmutableArray<UploadedFile> Files, int Total, int? Next);
