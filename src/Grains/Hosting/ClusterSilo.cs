using System.Net;
using System.Net.Sockets;
using Cluster.Grains.Storage;
using Cluster.Grains.Telemetry;
using Cluster.ServiceDefaults;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Orleans.Configuration;

namespace Cluster.Grains.Hosting;

/// <summary>A running silo: the grains and the door through which clients reach them.</summary>
public sealed class ClusterSilo : IAsyncDisposable
{
    /// <summary>How often a port that the system chose may be lost to another process before the silo listens on it.</summary>
    private const int MaxAttempts = 5;

    private readonly IHost _host;
    private readonly ControlStore? _store;

    private ClusterSilo(IHost host, ControlStore? store, IPEndPoint gateway) => (_host, _store, Gateway) = (host, store, gateway);

    /// <summary>Where clients connect.</summary>
    public IPEndPoint Gateway { get; }

    /// <summary>The grains, called from this process without a socket.</summary>
    public IGrainFactory Grains => _host.Services.GetRequiredService<IGrainFactory>();

    /// <summary>Starts a silo inside another program: it reads no settings, leaves signals alone, and only our warnings and Orleans' errors show, on standard error.</summary>
    /// <exception cref="Cluster.Contracts.BadInputException">A port, a store or a Redis that the settings ask for cannot be had.</exception>
    public static Task<ClusterSilo> StartAsync(SiloSettings settings, CancellationToken cancellationToken) =>
        StartAsync(settings, EmbeddedBuilder, cancellationToken);

    /// <summary>Starts a silo on a host that the caller shapes; a fresh one is asked for at each attempt.</summary>
    /// <exception cref="Cluster.Contracts.BadInputException">A port, a store or a Redis that the settings ask for cannot be had.</exception>
    public static async Task<ClusterSilo> StartAsync(
        SiloSettings settings, Func<HostApplicationBuilder> newBuilder, CancellationToken cancellationToken)
    {
        var store = settings.Store is { } folder ? ControlStore.Open(folder) : null;
        try
        {
            return await StartAsync(settings, store, newBuilder, cancellationToken);
        }
        catch when (store is not null)
        {
            await store.DisposeAsync();
            throw;
        }
    }

    private static async Task<ClusterSilo> StartAsync(
        SiloSettings settings, ControlStore? store, Func<HostApplicationBuilder> newBuilder, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var ports = Ports.Choose(settings.Address, settings.SiloPort, settings.GatewayPort);
            var host = Build(newBuilder(), settings, store, siloPort: ports[0], gatewayPort: ports[1]);
            try
            {
                host.OpenHealthDoor();
                var warnings = new StartWarnings(host.Services.GetRequiredService<ILogger<StartWarnings>>());
                if (settings.Redis is { } redis) { await warnings.CheckAsync(redis); }
                await host.StartAsync(cancellationToken);
                warnings.Check(settings.Address, ports);
                return new(host, store, new(settings.Address, ports[1]));
            }
            catch (Exception e) when (attempt < MaxAttempts && IsAddressInUse(e))
            {
                await DisposeAsync(host); // Choosing again either finds other ports or says which one the user must free.
            }
            catch
            {
                await DisposeAsync(host);
                throw;
            }
        }
    }

    /// <summary>Returns when the process is asked to end, or the host stops by itself.</summary>
    public Task WaitForShutdownAsync(CancellationToken cancellationToken) => _host.WaitForShutdownAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync(CancellationToken.None);
        await DisposeAsync(_host);
        if (_store is not null) { await _store.DisposeAsync(); }
    }

    private static IHost Build(HostApplicationBuilder builder, SiloSettings settings, ControlStore? store, int siloPort, int gatewayPort)
    {
        builder.AddServiceDefaults("cluster-silo");
        builder.AddHealthDoor();
        builder.Services.AddSingleton<ControlTelemetry>();
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(5));
        builder.UseOrleans(silo =>
        {
            _ = settings.Redis is { } redis ? silo.UseRedis(redis) : silo.UseLocalhostClustering(siloPort, gatewayPort).UseStore(store);
            silo.Configure<ClusterOptions>(o => (o.ClusterId, o.ServiceId) = (settings.ClusterId, settings.ServiceId))
                .ConfigureEndpoints(settings.Address, siloPort, gatewayPort)
                .AddActivityPropagation();
        });
        return builder.Build();
    }

    private static HostApplicationBuilder EmbeddedBuilder()
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddSingleton<IHostLifetime, ForeignLifetime>();
        builder.Configuration.AddOrleansLogLevels();
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddConfiguration(builder.Configuration.GetSection("Logging")).AddConsole();
        builder.Services.Configure<ConsoleLoggerOptions>(o => o.LogToStandardErrorThreshold = LogLevel.Trace);
        return builder;
    }

    private static bool IsAddressInUse(Exception e) =>
        e.GetBaseException() is SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse };

    private static ValueTask DisposeAsync(IHost host)
    {
        if (host is IAsyncDisposable disposable)
        {
            return disposable.DisposeAsync();
        }

        host.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>The program around the silo decides when it ends: without this, the host would take Ctrl-C for itself.</summary>
    private sealed class ForeignLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
