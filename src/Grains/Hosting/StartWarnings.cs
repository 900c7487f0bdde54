using System.Net;
using Cluster.Contracts;
using Cluster.ServiceDefaults;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Cluster.Grains.Hosting;

/// <summary>What an operator should know about the surroundings of a silo, said once at its start.</summary>
internal sealed partial class StartWarnings(ILogger<StartWarnings> logger)
{
    /// <summary>For a Redis that is just starting too.</summary>
    private const int ConnectAttempts = 5;

    /// <summary>Nothing on these ports is encrypted, and whoever can open them is believed.</summary>
    public void Check(IPAddress address, IReadOnlyList<int> ports)
    {
        if (!IPAddress.IsLoopback(address)) { LogOpenPorts(address, ports[0], ports[1]); }
    }

    /// <summary>Whether Redis answers, and writes what it acknowledges to its append-only file.</summary>
    /// <exception cref="BadInputException">It does not answer, or refuses the password.</exception>
    public async Task CheckAsync(RedisAddress redis)
    {
        var options = redis.Options();
        (options.AbortOnConnectFail, options.ConnectRetry, options.AllowAdmin) = (true, ConnectAttempts, true); // INFO counts as administration.
        try
        {
            await using var connection = await ConnectionMultiplexer.ConnectAsync(options);
            await CheckAppendOnly(connection, redis);
        }
        catch (RedisConnectionException e)
        {
            // Redis' own message may name options; the text of the setting may hold a password.
            throw new BadInputException(e.FailureType is ConnectionFailureType.AuthenticationFailure
                ? $"the Redis at {redis} ({redis.SetBy}) refuses the password or user."
                : $"no Redis answers at {redis} ({redis.SetBy}): is it running, and is that its address? ({e.FailureType})");
        }
    }

    private async Task CheckAppendOnly(ConnectionMultiplexer connection, RedisAddress redis)
    {
        try
        {
            foreach (var server in connection.GetServers().Where(s => s.IsConnected && !s.IsReplica))
            {
                var persistence = (await server.InfoAsync("persistence")).SelectMany(section => section).ToDictionary();
                if (persistence.GetValueOrDefault("aof_enabled") != "1") { LogNotAppendOnly(redis); }
            }
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            LogUnknownPersistence(redis, e.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "This silo listens on {Address}, ports {SiloPort} and {GatewayPort}, without encryption or passwords: let only machines that you trust reach them")]
    private partial void LogOpenPorts(IPAddress address, int siloPort, int gatewayPort);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The Redis at {Redis} keeps no append-only file: jobs that were acknowledged are lost when it ends. Start it with 'appendonly yes'")]
    private partial void LogNotAppendOnly(RedisAddress redis);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Whether the Redis at {Redis} keeps an append-only file cannot be read ({Problem}): make sure that it does ('appendonly yes'), or acknowledged jobs may be lost")]
    private partial void LogUnknownPersistence(RedisAddress redis, string problem);
}
