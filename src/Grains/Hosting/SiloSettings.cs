using System.Globalization;
using System.Net;
using Cluster.Contracts;
using Cluster.Contracts.Jobs;
using Cluster.ServiceDefaults;
using Microsoft.Extensions.Configuration;

namespace Cluster.Grains.Hosting;

/// <summary>
/// Where a silo listens, which cluster it is of, and where its state lies. By default it speaks to its own machine alone, on free
/// ports, and keeps its state in memory.
/// </summary>
public sealed record SiloSettings
{
    public string ClusterId { get; init; } = ClusterIdentity.ClusterId;

    public string ServiceId { get; init; } = ClusterIdentity.ServiceId;

    /// <summary>The address on which it listens and which it tells others.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>For other silos.</summary>
    public PortChoice SiloPort { get; init; } = new(0, SiloPortKey);

    /// <summary>For clients: workers, the tool, the dashboard.</summary>
    public PortChoice GatewayPort { get; init; } = new(0, GatewayPortKey);

    /// <summary>
    /// Folder of the embedded store, which this silo holds for itself. Null: state and reminders are kept in memory, or in
    /// <see cref="Redis"/>.
    /// </summary>
    public string? Store { get; init; }

    /// <summary>Holds several silos together. Null: this silo is the whole cluster.</summary>
    public RedisAddress? Redis { get; init; }

    private const string DefaultStore = ".cluster/silo";
    private const string StoreKey = "Cluster:Store";
    private const string SiloPortKey = "Orleans:Endpoints:SiloPort";
    private const string GatewayPortKey = "Orleans:Endpoints:GatewayPort";
    private const string AddressKey = "Orleans:Endpoints:AdvertisedIPAddress";

    /// <summary>Reads the keys listed at the top of Program.cs; what is not set keeps its default.</summary>
    /// <exception cref="BadInputException">A value is not what the key takes.</exception>
    public static SiloSettings From(IConfiguration configuration)
    {
        var (store, redis) = (configuration[StoreKey], RedisAddress.From(configuration));
        if (store is not null && redis is not null)
        {
            throw new BadInputException($"{StoreKey} and {redis.SetBy} are both set: the state of a silo lies in a folder or in Redis. Leave one out.");
        }

        return new()
        {
            ClusterId = configuration["Orleans:ClusterId"] ?? ClusterIdentity.ClusterId,
            ServiceId = configuration["Orleans:ServiceId"] ?? ClusterIdentity.ServiceId,
            Address = ReadAddress(configuration[AddressKey]),
            SiloPort = new(ReadPort(configuration, SiloPortKey), SiloPortKey),
            GatewayPort = new(ReadPort(configuration, GatewayPortKey), GatewayPortKey),
            Store = redis is null ? store ?? DefaultStore : null,
            Redis = redis,
        };
    }

    private static IPAddress ReadAddress(string? text) => text is null ? IPAddress.Loopback
        : IPAddress.TryParse(text, out var address) && !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any) ? address
        : throw new BadInputException($"{AddressKey} is '{text}': an IP address of this machine is needed at which others reach it, such as 127.0.0.1.");

    private static int ReadPort(IConfiguration configuration, string key) => configuration[key] is not { } text ? 0
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= IPEndPoint.MaxPort ? port
        : throw new BadInputException($"{key} is '{text}': a port from 1 to {IPEndPoint.MaxPort} is needed, or 0 to let the system choose.");
}

/// <param name="Number">1 to 65535, or 0: the system chooses.</param>
/// <param name="SetBy">The setting or option it comes from, as the user knows it; for messages.</param>
public readonly record struct PortChoice(int Number, string SetBy);
