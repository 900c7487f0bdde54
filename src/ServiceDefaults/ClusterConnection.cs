using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Cluster.ServiceDefaults;

/// <summary>A connection to a cluster for a program that is not a host itself. It comes back by itself after an outage.</summary>
public sealed class ClusterConnection : IAsyncDisposable
{
    private readonly IHost _host;

    private ClusterConnection(IHost host) => _host = host;

    public IGrainFactory Grains => _host.Services.GetRequiredService<IGrainFactory>();

    /// <summary>Tries until the deadline: a cluster that is just starting is worth a moment's wait.</summary>
    /// <exception cref="TimeoutException">No cluster answered in time. The message is written for the user.</exception>
    public static async Task<ClusterConnection> ConnectAsync(ClusterAddress address, TimeSpan deadline, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(deadline);
        var host = Build(address);
        try
        {
            // Orleans' own attempts do not all watch the token, so the wait ends here whatever they do.
            await host.StartAsync(timeout.Token).WaitAsync(timeout.Token);
            return new(host);
        }
        catch (Exception e)
        {
            host.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            throw new TimeoutException($"no cluster answers ({address}; tried for {deadline.TotalSeconds:0.#} s): is it running, and is this its address?", e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync(CancellationToken.None);
        _host.Dispose();
    }

    private static IHost Build(ClusterAddress address)
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddSingleton<IHostLifetime, ForeignLifetime>();
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddConsole();
        builder.Logging.AddFilter("Orleans", LogLevel.Critical).AddFilter("Microsoft.Extensions.Hosting", LogLevel.None); // What goes wrong comes out as an exception, once.
        builder.Services.Configure<ConsoleLoggerOptions>(o => o.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.UseOrleansClient(client => client.UseCluster(address));
        return builder.Build();
    }

    /// <summary>The program around the connection decides when it ends: without this, the host would take Ctrl-C for itself.</summary>
    private sealed class ForeignLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
