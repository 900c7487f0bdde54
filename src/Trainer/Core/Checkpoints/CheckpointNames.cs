using System.Text.RegularExpressions;
using Cluster.Contracts;

namespace Cluster.Trainer.Core.Checkpoints;

/// <summary>
/// Beside the checkpoints of <see cref="JobLayout"/>, <c>checkpoints/.round-000000120.partial-HOST-PID/</c> is one that is being
/// written or deleted. Host and process keep two writers on one volume apart.
/// </summary>
internal static partial class CheckpointNames
{
    private static readonly string Host = NotInAHostName().Replace(Environment.MachineName, "-");

    public static string PartialOf(long round) => $".{JobLayout.CheckpointOf(round)}.partial-{Host}-{Environment.ProcessId}";

    public static bool IsPartial(string name) => PartialPattern().IsMatch(name);

    [GeneratedRegex(@"^\.round-\d{9,18}\.partial-[A-Za-z0-9.-]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex PartialPattern();

    [GeneratedRegex("[^A-Za-z0-9.-]")]
    private static partial Regex NotInAHostName();
}
