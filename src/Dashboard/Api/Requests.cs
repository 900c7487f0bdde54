using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Cluster.Contracts;
using Cluster.Contracts.Jobs;

namespace Cluster.Dashboard.Api;

/// <summary>What requests carry, read with the reader's own words for what is wrong.</summary>
internal static class Requests
{
    private const int MaxDataRoots = 32;
    private const int MaxOverrides = 256;

    /// <exception cref="ApiRefusal">The body is not what the route takes.</exception>
    public static async Task<T> ReadBodyAsync<T>(this HttpRequest request, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        try
        {
            return await JsonSerializer.DeserializeAsync(request.Body, type, cancellationToken) ?? throw ApiRefusal.Wrong("the body is null; a JSON object is needed");
        }
        catch (JsonException e)
        {
            var place = e is { Path: { } path, LineNumber: { } line, BytePositionInLine: { } column } ? $" at {path} (line {line + 1}, byte {column + 1})" : "";
            throw ApiRefusal.Wrong($"the body's JSON is wrong{place}: found something that is no JSON, a key or a value that does not belong there, or a key missing; allowed: an object with the keys {Keys(type)}");
        }
    }

    /// <exception cref="ApiRefusal">It breaks the rule of ids.</exception>
    public static string CheckId(string id, string what) =>
        Ids.IsValid(id) ? id : throw ApiRefusal.Wrong($"this is no {what}'s id; allowed: {Ids.Rule}");

    /// <summary>The job without samples.</summary>
    /// <exception cref="ApiRefusal">There is no such job.</exception>
    public static async Task<JobView> JobAsync(this ControlPlane plane, string id, CancellationToken cancellationToken)
    {
        var view = await plane.ViewAsync(CheckId(id, "job"), long.MaxValue, cancellationToken);
        return view.State is JobState.Unknown ? throw ApiRefusal.Missing($"there is no job {id}") : view with { Samples = [] };
    }

    /// <exception cref="ApiRefusal">It is not within the bounds.</exception>
    public static int CheckRange(int? value, int byDefault, string name, int min, int max) =>
        (value ?? byDefault) is var number && number >= min && number <= max
            ? number
            : throw ApiRefusal.Wrong($"{name} is {number}; allowed: {min} to {max}");

    /// <exception cref="ApiRefusal">There are too many.</exception>
    public static IReadOnlyList<string>? CheckOverrides(IReadOnlyList<string>? set) =>
        set is { Count: > MaxOverrides } ? throw ApiRefusal.Wrong($"set has {set.Count} overrides; at most {MaxOverrides} are allowed") : set;

    /// <exception cref="ApiRefusal">There are too many, or one is no absolute path.</exception>
    public static IReadOnlyList<string> CheckRoots(IReadOnlyList<string> roots)
    {
        if (roots.Count > MaxDataRoots) { throw ApiRefusal.Wrong($"dataRoots has {roots.Count} folders; at most {MaxDataRoots} are allowed"); }
        var relative = roots.FirstOrDefault(root => string.IsNullOrEmpty(root) || !Path.IsPathFullyQualified(root));
        return relative is null ? roots : throw ApiRefusal.Wrong($"dataRoots names '{relative}'; an absolute path is needed, as the workers see it");
    }

    private static string Keys(JsonTypeInfo type) => string.Join(", ", type.Properties.Select(p => p.IsRequired ? $"{p.Name} (needed)" : p.Name));
}
