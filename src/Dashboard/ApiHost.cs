using Cluster.Contracts;
using Cluster.Dashboard.Access;
using Cluster.Dashboard.Api;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Logging.Console;

namespace Cluster.Dashboard;

/// <summary>
/// The API inside another program, beside its silo: it reads no settings from outside, leaves signals alone, and shows only
/// warnings, on standard error.
/// </summary>
public sealed class ApiHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ApiHost(WebApplication app) => _app = app;

    /// <summary>Where it listens, with the port that was chosen.</summary>
    public Uri Url => new(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    internal IServiceProvider Services => _app.Services;

    /// <summary>Cancelled when somebody asks through the API for the program to end.</summary>
    public CancellationToken ShutdownRequested => _app.Lifetime.ApplicationStopping;

    /// <exception cref="BadInputException">It may not listen, or cannot, where the settings say.</exception>
    public static Task<ApiHost> StartAsync(ApiSettings settings, IGrainFactory grains, CancellationToken cancellationToken) =>
        StartAsync(settings, grains, logs: null, cancellationToken);

    /// <param name="logs">Where logs go beside standard error; null for nowhere.</param>
    internal static async Task<ApiHost> StartAsync(ApiSettings settings, IGrainFactory grains, Action<ILoggingBuilder>? logs, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.Services.AddSingleton(grains);
        builder.Services.AddSingleton<IHostLifetime, ForeignLifetime>();
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(2));
        builder.Services.Configure<ConsoleLoggerOptions>(o => o.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddFilter(AuditLog.Category, LogLevel.Information).AddConsole();
        logs?.Invoke(builder.Logging);
        builder.AddClusterApi(settings);

        var app = builder.Build();
        app.MapClusterApi();
        await StartAsync(app, cancellationToken);
        return new(app);
    }

    /// <summary>Starts listening; a port that cannot be had is the user's to free or to change.</summary>
    /// <exception cref="BadInputException">It cannot listen where the settings say.</exception>
    internal static async Task StartAsync(WebApplication app, CancellationToken cancellationToken)
    {
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (IOException e)
        {
            var urls = app.Services.GetRequiredService<ApiSettings>().Urls;
            await app.DisposeAsync();
            throw new BadInputException(e.InnerException is AddressInUseException
                ? $"{urls} is in use: end the program that listens there, choose another port, or 0 to let the system choose"
                : $"the API cannot listen on {urls}: {e.Message}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
    }

    /// <summary>The program around the API decides when it ends: without this, the host would take Ctrl-C for itself.</summary>
    private sealed class ForeignLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
