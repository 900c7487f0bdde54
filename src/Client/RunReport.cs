using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cluster.Contracts.Jobs;

namespace Cluster.Client;

/// <summary>
/// What a job leaves for programs to read: the object that <c>cluster run --json</c> writes. Keys are only ever added.
/// </summary>
/// <param name="State">Succeeded, Failed or Cancelled.</param>
/// <param name="Reason">Why, in words.</param>
/// <param name="Rounds">Rounds committed.</param>
/// <param name="SamplesSeen">Training samples since the job began, earlier runs that it resumed included.</param>
/// <param name="Metrics">The last value of each, by name; null where it is not a finite number.</param>
/// <param name="WeightsSha256">SHA-256 of the flat float32 parameters, little-endian, in layout order; null when the job ended without.</param>
/// <param name="Checkpoint">Path of the newest checkpoint that is safe on disk.</param>
/// <param name="WallSeconds">From submission to the end.</param>
/// <param name="SamplesPerSecond">Training samples a second while it trained, without the start.</param>
/// <param name="Environment">What the answer may depend on: processor, libraries, versions.</param>
public sealed record RunReport(
    string Job,
    JobState State,
    string Reason,
    string Method,
    long Rounds,
    long SamplesSeen,
    ImmutableSortedDictionary<string, double?> Metrics,
    string? WeightsSha256,
    string? Checkpoint,
    ImmutableArray<RunWorker> Workers,
    long Generations,
    int Recoveries,
    long SkippedRounds,
    double WallSeconds,
    double SamplesPerSecond,
    ImmutableSortedDictionary<string, string> Environment,
    ImmutableArray<string> Notices)
{
    /// <summary>Releases that annealed apart, each in a job of its own, in the order of their forks.</summary>
    public ImmutableArray<RunBranch> Branches { get; init; } = [];

    /// <param name="last">The job in its final state.</param>
    /// <param name="job">Its name.</param>
    public static RunReport Of(JobView last, string job, string method, TimeSpan wall) => new(
        job,
        last.State,
        last.Reason,
        method,
        last.Round,
        last.SamplesSeen,
        last.Metrics.ToImmutableSortedDictionary(m => m.Key, m => double.IsFinite(m.Value) ? m.Value : (double?)null, StringComparer.Ordinal),
        last.WeightsSha256,
        last.Checkpoint,
        [.. last.Workers.Select(w => new RunWorker(w.Id, w.ProcessId, w.Rank, w.LeavesComputed))],
        last.Generation,
        last.Recoveries,
        last.SkippedRounds,
        Math.Round(wall.TotalSeconds, 3),
        Math.Round(last.SamplesPerSecond, 1),
        last.Environment.ToImmutableSortedDictionary(StringComparer.Ordinal),
        last.Notices);

    public string ToJson() => JsonSerializer.Serialize(this, RunReportJson.Default.RunReport);
}

public sealed record RunWorker(string Id, int ProcessId, int Rank, long LeavesComputed);

/// <param name="WeightsSha256">Of the release; null when its job ended without.</param>
/// <param name="Checkpoint">Path of its newest checkpoint, the release where it succeeded.</param>
public sealed record RunBranch(string Release, string Job, JobState State, string Reason, string? WeightsSha256, string? Checkpoint);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, WriteIndented = true, NewLine = "\n")]
[JsonSerializable(typeof(RunReport))]
internal sealed partial class RunReportJson : JsonSerializerContext;
