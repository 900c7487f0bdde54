using System.Text.Json.Serialization;
using Cluster.Contracts.Spec;

namespace Cluster.Contracts.Api;

/// <summary>Body of <c>POST /api/v1/validate</c>: would this spec be taken?</summary>
/// <param name="Spec">The spec as YAML: at most 1 MiB.</param>
/// <param name="Set">Overrides, each <c>key.path=value</c>: at most 256.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ValidateRequest(string Spec, IReadOnlyList<string>? Set = null);

/// <summary>Answer of <c>POST /api/v1/validate</c>: nothing is submitted. Uploads must be there; whether other data are is for the workers to see.</summary>
/// <param name="Problems">Everything that is wrong, by line; empty when nothing is.</param>
/// <param name="Name">Of the job. Null when there are problems; so are the next three.</param>
/// <param name="Method">The method, in a word.</param>
/// <param name="SpecHash">Of what determines the answer.</param>
/// <param name="EffectiveSpec">With all defaults written out.</param>
public sealed record ValidateResponse(IReadOnlyList<SpecProblem> Problems, string? Name = null, string? Method = null, string? SpecHash = null, string? EffectiveSpec = null);
