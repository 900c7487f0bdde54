using System.Globalization;
using System.Text.RegularExpressions;

namespace Cluster.Contracts;

/// <summary>
/// The names in a store, which workers write and tools read: <c>STORE/jobs/ID/</c> holds <c>spec.yaml</c>, <c>logs/</c> with a
/// file of each worker, <c>evaluations.jsonl</c>, and <c>checkpoints/round-000000120/</c> with the files below. Beside the jobs lie the uploaded
/// files (<see cref="Uploads"/>).
/// </summary>
public static partial class JobLayout
{
    public const string Jobs = "jobs";
    public const string Spec = "spec.yaml";
    public const string Logs = "logs";
    public const string Checkpoints = "checkpoints";

    /// <summary>Every evaluation, a line of JSON each (<see cref="Lineage.EvaluationRecord"/>).</summary>
    public const string Evaluations = "evaluations.jsonl";

    /// <summary>The orders that its spec has beside what was submitted (an array of <see cref="Jobs.JobOrder"/>); only where there are some.</summary>
    public const string Orders = "orders.json";

    public const string Model = "model.safetensors";
    public const string Optimizer = "optimizer.safetensors";
    public const string Manifest = "manifest.json";

    /// <summary>All files of a checkpoint.</summary>
    public static IReadOnlyList<string> CheckpointFiles { get; } = [Model, Optimizer, Spec, Manifest];

    /// <summary>Folder name of the checkpoint after so many rounds.</summary>
    public static string CheckpointOf(long round) => string.Create(CultureInfo.InvariantCulture, $"round-{round:D9}");

    /// <summary>The round of a checkpoint's folder name; null for any other name.</summary>
    public static long? RoundOf(string name) =>
        CheckpointPattern().Match(name) is { Success: true } match
        && long.TryParse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var round)
        && CheckpointOf(round) == name // One spelling per round: no second folder with more zeros.
            ? round
            : null;

    [GeneratedRegex(@"^round-(\d{9,18})\z", RegexOptions.CultureInvariant)]
    private static partial Regex CheckpointPattern();
}
