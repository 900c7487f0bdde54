using System.Collections.Immutable;
using Cluster.Contracts.Jobs;

namespace Cluster.Contracts.Api;

/// <summary>Answer of <c>GET /api/v1/jobs</c>.</summary>
/// <param name="Jobs">Newest first.</param>
/// <param name="Total">How many jobs there are, in any state.</param>
/// <param name="Next">
/// The <c>skip</c> with which the list goes on; null at its end. One request looks at a bounded number of jobs, so a page of a
/// rare state may be short, or empty, and still go on.
/// </param>
public sealed record JobPage(ImmutableArray<JobSummary> Jobs, long Total, int? Next);

/// <summary>Answer of <c>GET /api/v1/jobs/ID/samples</c>.</summary>
/// <param name="Samples">At most 500, oldest first.</param>
/// <param name="Last">Pass it as <c>after</c> to the next request.</param>
public sealed record SamplePage(ImmutableArray<RoundSample> Samples, long Last);

/// <summary>Answer of <c>GET /api/v1/jobs/ID/logs</c>, and data of its <c>log</c> events.</summary>
/// <param name="Lines">In the order of the workers' names, and of their files.</param>
/// <param name="IsTruncated">Older lines were left out.</param>
public sealed record LogPage(ImmutableArray<LogLine> Lines, bool IsTruncated);

/// <param name="Worker">Id of the worker whose log it is from.</param>
public sealed record LogLine(string Worker, string Text);
