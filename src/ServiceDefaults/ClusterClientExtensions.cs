using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.Hosting;

namespace Cluster.ServiceDefaults;

/// <summary>What every Orleans client of a cluster has in common, so that all come back equally fast after an outage.</summary>
public static class ClusterClientExtensions
{
    /// <summary>Between attempts to reach a silo that is away. A refused attempt costs next to nothing.</summary>
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// For calls to a silo that hangs. Far above what any call takes: they are small, and so is the state that they write.
    /// </summary>
    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Between two looks at which silos Redis knows. A silo that is cut off closes no connection: its clients leave it when the others have
    /// voted it out and they have seen that.
    /// </summary>
    private static readonly TimeSpan GatewayRefresh = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Connects to the cluster at this address and keeps at it: a start waits until a silo is there (for as long as the host's start
    /// is allowed to take). Calls made while none is there fail at once, and so do those that were on their way when a
    /// connection broke.
    /// </summary>
    public static IClientBuilder UseCluster(this IClientBuilder client, ClusterAddress address)
    {
        var outage = new OutageFilter();
        client = address.Redis is { } redis
            ? client.UseRedisClustering(o => o.ConfigurationOptions = redis.Options())
            : client.UseStaticClustering([.. address.Gateways]);
        return client
            .Configure<ClusterOptions>(o => (o.ClusterId, o.ServiceId) = (address.ClusterId, address.ServiceId))
            .Configure<ConnectionOptions>(o => o.ConnectionRetryDelay = RetryDelay)
            .Configure<GatewayOptions>(o => o.GatewayListRefreshPeriod = GatewayRefresh)
            .Configure<ClientMessagingOptions>(o => o.ResponseTimeout = ResponseTimeout)
            .AddOutgoingGrainCallFilter(outage)
            .AddGatewayCountChangedHandler((_, change) =>
            {
                if (change.NumberOfConnectedGateways < change.PreviousNumberOfConnectedGateways) { outage.ConnectionLost(); }
            })
            .AddActivityPropagation()
            .UseConnectionRetryFilter(async (_, cancellationToken) =>
            {
                await Task.Delay(RetryDelay, cancellationToken);
                return true;
            });
    }
}
