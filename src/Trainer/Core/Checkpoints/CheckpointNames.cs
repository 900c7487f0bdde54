using System.Globalization;
using System.Text.RegularExpressions;

namespace Cluster.Trainer.Core.Checkpoints;

/// <summary>
/// The names under a job's folder: <c>checkpoints/round-000000120/</c> is a checkpoint, and
/// <c>checkpoints/.round-000000120.partial-HOST-PID/</c> one that is being written or deleted. Host and process keep two
/// writers on one volume apart.
/// </summary>
internal static partial class CheckpointNames
{
    public const string Folder = "checkpoints";

    public const string Model = "model.safetensors";
    public const string Optimizer = "optimizer.safetensors";
    public const string Spec = "spec.yaml";
    public const string Manifest = "manifest.json";

    /// <summary>All files of a checkpoint.</summary>
    public static IReadOnlyList<string> Files { get; } = [Model, Optimizer, Spec, Manifest];

    private static readonly string Host = NotInAHostName().Replace(Environment.MachineName, "-");

    public static string Of(long round) => string.Create(CultureInfo.InvariantCulture, $"round-{round:D9}");

    public static string PartialOf(long round) => $".{Of(round)}.partial-{Host}-{Environment.ProcessId}";

    /// <summary>The round of a checkpoint's folder name; null for any other name.</summary>
    public static long? RoundOf(string name) =>
        WholePattern().Match(name) is { Success: true } match
        && long.TryParse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var round)
        && Of(round) == name // One spelling per round: no second folder with more zeros.
            ? round
            : null;

    public static bool IsPartial(string name) => PartialPattern().IsMatch(name);

    [GeneratedRegex(@"^round-(\d{9,18})\z", RegexOptions.CultureInvariant)]
    private static partial Regex WholePattern();

    [GeneratedRegex(@"^\.round-\d{9,18}\.partial-[A-Za-z0-9.-]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex PartialPattern();

    [GeneratedRegex("[^A-Za-z0-9.-]")]
    private static partial Regex NotInAHostName();
}
