namespace Cluster.Contracts;

/// <summary>No cluster answers. The message is written for the user.</summary>
public sealed class ClusterUnreachableException(string message, Exception? cause) : Exception(message, cause);
