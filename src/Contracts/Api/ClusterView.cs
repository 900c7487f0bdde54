namespace Cluster.Contracts.Api;

/// <summary>Answer of <c>GET /api/v1/cluster</c>.</summary>
/// <param name="Version">Of the process that answers.</param>
/// <param name="Gateway">Address and port at which workers reach the control plane.</param>
/// <param name="UptimeSeconds">Of the process that answers.</param>
public sealed record ClusterView(string Version, string Gateway, double UptimeSeconds)
{
    /// <summary>Where the API listens when nobody says otherwise.</summary>
    public const string DefaultUrl = "http://127.0.0.1:8080";

    /// <summary>The header of <c>POST /api/v1/shutdown</c>, with the secret that the starter of the cluster knows.</summary>
    public const string SecretHeader = "Cluster-Secret";
}
