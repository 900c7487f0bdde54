using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Cluster.Contracts;
using Cluster.Contracts.Jobs;
using Microsoft.Extensions.Configuration;

namespace Cluster.ServiceDefaults;

/// <summary>
/// How a worker, a tool or the dashboard finds its cluster: at gateways that it is told, or through the Redis in which the silos
/// enter themselves.
/// </summary>
/// <remarks>
/// Settings: <c>Cluster:Gateway</c> (one or several <c>host:port</c>, with commas between), or else <c>Cluster:Redis</c> or
/// <c>ConnectionStrings:redis</c>; without any of them the gateway is 127.0.0.1:30000. <c>Orleans:ClusterId</c> and
/// <c>Orleans:ServiceId</c> as the silos have them.
/// </remarks>
public sealed record ClusterAddress
{
    private const string GatewayKey = "Cluster:Gateway", DefaultGateway = "127.0.0.1:30000";

    public string ClusterId { get; init; } = ClusterIdentity.ClusterId;

    public string ServiceId { get; init; } = ClusterIdentity.ServiceId;

    /// <summary>Empty when the silos are found through <see cref="Redis"/>.</summary>
    public ImmutableArray<IPEndPoint> Gateways { get; init; } = [];

    public RedisAddress? Redis { get; init; }

    public static ClusterAddress Of(params IEnumerable<IPEndPoint> gateways) => new() { Gateways = [.. gateways] };

    /// <summary>Gateways that are named win over Redis: whoever names one means that very cluster.</summary>
    /// <exception cref="BadInputException">A value is not what the key takes.</exception>
    public static ClusterAddress From(IConfiguration configuration)
    {
        var named = configuration[GatewayKey];
        var redis = named is null ? RedisAddress.From(configuration) : null;
        return new()
        {
            ClusterId = configuration["Orleans:ClusterId"] ?? ClusterIdentity.ClusterId,
            ServiceId = configuration["Orleans:ServiceId"] ?? ClusterIdentity.ServiceId,
            Gateways = redis is null ? Parse(named ?? DefaultGateway) : [],
            Redis = redis,
        };
    }

    public override string ToString() => Redis is null ? string.Join(", ", Gateways) : $"silos known to Redis at {Redis}";

    private static ImmutableArray<IPEndPoint> Parse(string text) =>
        [.. text.Split(',', StringSplitOptions.TrimEntries).SelectMany(one => ParseOne(one, text))];

    /// <summary>A host name may stand for several addresses: each is a gateway.</summary>
    private static IPEndPoint[] ParseOne(string gateway, string all)
    {
        if (IPEndPoint.TryParse(gateway, out var endPoint) && endPoint.Port > 0) { return [endPoint]; }
        var colon = gateway.LastIndexOf(':');
        if (colon <= 0 || !ushort.TryParse(gateway[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
        {
            throw new BadInputException($"{GatewayKey} is '{all}': host:port of a silo's gateway is needed, or several with commas between, such as {DefaultGateway}.");
        }

        var host = gateway[..colon];
        try
        {
            return [.. Dns.GetHostAddresses(host).Select(address => new IPEndPoint(address, port))];
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            throw new BadInputException($"{GatewayKey} is '{all}': the host '{host}' is not known here ({e.Message}).");
        }
    }
}
