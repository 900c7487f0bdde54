using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Cluster.Contracts.Jobs;

/// <summary>What a person asks of a continual job that was submitted before.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<OrderKind>))]
public enum OrderKind
{
    None = 0,

    /// <summary>One more stage at the end of the trunk.</summary>
    Append,

    /// <summary>One more release, at an update of the trunk that has yet to come.</summary>
    Release,
}

/// <summary>How far an order has come.</summary>
/// <remarks>
/// <code>
///   Stored --the job stops at a checkpoint, and goes on with it--> Taken --no worker can read its data--> Refused
///      \------its update of the trunk was gone by then--------------------------------------------------->
/// </code>
/// </remarks>
[JsonConverter(typeof(JsonStringEnumConverter<OrderState>))]
public enum OrderState
{
    None = 0,

    /// <summary>Durable; the job has yet to take it up.</summary>
    Stored,

    /// <summary>Part of the job's spec from now on, as if it had stood there from the beginning.</summary>
    Taken,

    /// <summary>The job goes on without it.</summary>
    Refused,
}

/// <summary>An order and what became of it: the job's weights are a function of its spec and of the orders taken.</summary>
/// <param name="Number">From 1, in the order in which the job got them.</param>
/// <param name="Name">Of the stage or the release.</param>
/// <param name="Text">
/// The stage or release as YAML, as in <c>continual.stages</c> or <c>continual.releases</c>; once taken, with the update at which
/// it takes effect.
/// </param>
/// <param name="DataRoots">Folders in which a stage's relative paths are looked for after those of the job.</param>
/// <param name="Time">When it was stored, UTC; for people.</param>
/// <param name="Reason">Why it was refused, in words; null otherwise.</param>
/// <param name="Round">Rounds that were committed when it was taken. This and the next three are 0 or null before.</param>
/// <param name="Update">The trunk's update after which it takes effect: that of the fork, or the last before the stage.</param>
/// <param name="SpecHashBefore">Hash of the job's spec without it and those after it.</param>
/// <param name="AgreesUntil">Up to so many rounds the job is the same without it: a checkpoint made before is good until there.</param>
[GenerateSerializer, Immutable, Alias("cluster.job-order")]
public sealed record JobOrder(
    [property: Id(0)] int Number,
    [property: Id(1)] OrderKind Kind,
    [property: Id(2)] string Name,
    [property: Id(3)] string Text,
    [property: Id(4)] ImmutableArray<string> DataRoots,
    [property: Id(5)] DateTime Time,
    [property: Id(6)] OrderState State = OrderState.Stored,
    [property: Id(7)] string? Reason = null,
    [property: Id(8)] long Round = 0,
    [property: Id(9)] long Update = 0,
    [property: Id(10)] string? SpecHashBefore = null,
    [property: Id(11)] long AgreesUntil = 0);

/// <param name="Order">As it was stored; null where it was not.</param>
/// <param name="Refusal">Why it was not, in words.</param>
[GenerateSerializer, Immutable, Alias("cluster.order-result")]
public sealed record OrderResult([property: Id(0)] JobOrder? Order, [property: Id(1)] string? Refusal);
