namespace Cluster.Cli.Up;

/// <summary>What the user asked of <c>cluster up</c>.</summary>
/// <param name="Store">Full path.</param>
/// <param name="Port">Of the API; 0 lets the system choose.</param>
/// <param name="GatewayPort">Of the silo's gateway; 0 lets the system choose.</param>
internal sealed record UpOptions(int Workers, string Store, int Port, int GatewayPort, bool IsJson);
