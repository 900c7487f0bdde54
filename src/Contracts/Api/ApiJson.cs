using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Cluster.Contracts.Federation;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Lineage;

namespace Cluster.Contracts.Api;

/// <summary>
/// The public API's JSON: keys in camel case, enums by name, and <c>"NaN"</c>, <c>"Infinity"</c> and <c>"-Infinity"</c> as text,
/// because metrics may be so and JSON has no numbers for them. Keys are only ever added.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(ApiProblem))]
[JsonSerializable(typeof(CheckpointView))]
[JsonSerializable(typeof(ImmutableArray<CheckpointView>))]
[JsonSerializable(typeof(ClusterView))]
[JsonSerializable(typeof(FilePage))]
[JsonSerializable(typeof(JobPage))]
[JsonSerializable(typeof(JobSummary))]
[JsonSerializable(typeof(JobView))]
[JsonSerializable(typeof(LineageView))]
[JsonSerializable(typeof(LogPage))]
[JsonSerializable(typeof(LogLine))]
[JsonSerializable(typeof(MetricsView))]
[JsonSerializable(typeof(ParticipationPage))]
[JsonSerializable(typeof(PoolView))]
[JsonSerializable(typeof(PoolWorkerView))]
[JsonSerializable(typeof(ImmutableArray<PoolWorkerView>))]
[JsonSerializable(typeof(AppendRequest))]
[JsonSerializable(typeof(JobOrder))]
[JsonSerializable(typeof(ReasonRequest))]
[JsonSerializable(typeof(ReleaseRequest))]
[JsonSerializable(typeof(SamplePage))]
[JsonSerializable(typeof(SessionRequest))]
[JsonSerializable(typeof(SessionView))]
[JsonSerializable(typeof(SubmitRequest))]
[JsonSerializable(typeof(SubmitResponse))]
[JsonSerializable(typeof(UploadedFile))]
[JsonSerializable(typeof(ValidateRequest))]
[JsonSerializable(typeof(ValidateResponse))]
public sealed partial class ApiJson : JsonSerializerContext;
