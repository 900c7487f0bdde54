namespace Cluster.Contracts.Telemetry;

/// <summary>Attributes of our spans and metrics. <c>docs/telemetry.md</c> says what each means and where it stands.</summary>
public static class TelemetryKeys
{
    public const string Job = "cluster.job";
    public const string Worker = "cluster.worker";
    public const string Generation = "cluster.generation";
    public const string Rank = "cluster.rank";
    public const string Ranks = "cluster.ranks";
    public const string Round = "cluster.round";
    public const string IsRecovery = "cluster.recovery";
    public const string State = "cluster.state";
    public const string Reason = "cluster.reason";
    public const string Outcome = "cluster.outcome";
    public const string Phase = "cluster.phase";
    public const string Kind = "cluster.kind";
    public const string Transport = "cluster.transport";
    public const string Bytes = "cluster.bytes";

    /// <summary>OpenTelemetry's own: <c>transmit</c> or <c>receive</c>.</summary>
    public const string Direction = "network.io.direction";
}
