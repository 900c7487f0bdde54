namespace Cluster.Contracts.Jobs;

/// <summary>The names by which silos and their clients know that they belong together. A silo refuses a client of another cluster.</summary>
public static class ClusterIdentity
{
    public const string ClusterId = "cluster";

    public const string ServiceId = "cluster";
}
