using System.Globalization;
using System.Text.Json.Nodes;
using Cluster.Contracts.Spec;

namespace Cluster.Tests.Spec;

/// <summary>
/// The JSON Schema (draft 2020-12) of a job spec, for editors: keys, types, limits, defaults and doc comments. It is made from the
/// same records that the reader binds to. Rules between keys of different records are the reader's alone.
/// </summary>
internal sealed class JobSchema(DocComments comments)
{
    private readonly JsonObject _definitions = [];

    public JsonObject Generate() => new()
    {
        ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
        ["title"] = "Job of a training cluster",
        ["type"] = "object",
        ["description"] = comments.Of(typeof(JobSpec)),
        .. Keys(typeof(JobSpec), kind: null),
        ["$defs"] = _definitions,
    };
}
