using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Cluster.Contracts.Jobs;

namespace Cluster.Contracts.Lineage;

/// <summary>JSON of lineage on disk: keys in camel case, and NaN and infinities as text. Keys are only ever added.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(EvaluationRecord))]
[JsonSerializable(typeof(LineageNode))]
[JsonSerializable(typeof(ImmutableArray<JobOrder>))]
public sealed partial class LineageJson : JsonSerializerContext;
