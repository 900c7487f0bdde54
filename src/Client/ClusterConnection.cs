using System.Net;
using Cluster.Contracts.Jobs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Orleans.Configuration;

namespace Cluster.Client;

/// <summary>A connection to a cluster through one of its gateways. It comes back by itself after an outage.</summary>
public sealed class ClusterConnection : IAsyncDisposable
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);

    private readonly IHost _host;

    private ClusterConnection(IHost host) => _host = host;

    public IGrainFactory Grains => _host.Services.GetRequiredService<IGrainFactory>();

    /// <summary>Tries until the deadline: a cluster that is just starting is worth a moment's wait.</summary>
    /// <exception cref="ClusterUnreachableException">No cluster answered in time.</exception>
    public static async Task<ClusterConnection> ConnectAsync(IPEndPoint gateway, TimeSpan deadline, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(deadline);
        Exception? lastProblem = null;
        var host = Build(gateway, async (problem, token) =>
        {
            lastProblem = problem;
            await Task.Delay(RetryDelay, token);
            return true;
        });
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
            throw new ClusterUnreachableException(
                $"no cluster answers at {gateway} (tried for {deadline.TotalSeconds:0.#} s): is it running, and is this its gateway's address?",
                lastProblem ?? e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync(CancellationToken.None);
        _host.Dispose();
    }

    private static IHost Build(IPEndPoint gateway, Func<Exception, CancellationToken, Task<bool>> retry)
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddSingleton<IHostLifetime, ForeignLifetime>();
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddConsole();
        builder.Logging.AddFilter("Orleans", LogLevel.Critical); // What goes wrong comes out as an exception, once.
        builder.Services.Configure<ConsoleLoggerOptions>(o => o.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.UseOrleansClient(client => client
            .UseStaticClustering(gateway)
            .Configure<ClusterOptions>(o => (o.ClusterId, o.ServiceId) = (ClusterIdentity.ClusterId, ClusterIdentity.ServiceId))
            .AddActivityPropagation()
            .UseConnectionRetryFilter(retry));
        return builder.Build();
    }

    /// <summary>The program around the connection decides when it ends: without this, the host would take Ctrl-C for itself.</summary>
    private sealed class ForeignLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
