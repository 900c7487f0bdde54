using Cluster.Contracts.Spec;

namespace Cluster.Contracts.Api;

/// <summary>The body of every answer that is an error (RFC 9457, <c>application/problem+json</c>).</summary>
/// <param name="Title">The kind of problem, the same words each time.</param>
/// <param name="Status">The HTTP status, again.</param>
/// <param name="Detail">What was wrong here and what is allowed, for people.</param>
/// <param name="Problems">Everything that is wrong with a spec, by line; null for other problems.</param>
public sealed record ApiProblem(string Title, int Status, string Detail, IReadOnlyList<SpecProblem>? Problems = null)
{
    public const string ContentType = "application/problem+json";
}
