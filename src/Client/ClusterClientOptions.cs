namespace Cluster.Client;

/// <summary>Which cluster, and who asks.</summary>
public sealed class ClusterClientOptions
{
    /// <summary>Address of the API. By default what <c>CLUSTER_URL</c> says, else port 8080 of this machine.</summary>
    public Uri? Url { get; set; }

    /// <summary>As <c>cluster token create</c> printed it. By default what <c>CLUSTER_TOKEN</c> says; null where the cluster asks for none.</summary>
    public string? Token { get; set; }
}
