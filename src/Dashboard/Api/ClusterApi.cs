using Cluster.Contracts;
using Cluster.Contracts.Api;
using Cluster.Dashboard.Access;
using Cluster.Dashboard.Jobs;
using Cluster.Dashboard.Pages;
using Cluster.Dashboard.Telemetry;
using Cluster.ServiceDefaults;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using OpenTelemetry.Metrics;

namespace Cluster.Dashboard.Api;

/// <summary>
/// The public API: everything under <c>/api/v1</c>, <c>/health</c>, and <c>/metrics</c>. The same code answers in the stand-alone process and
/// beside a silo; it needs an <see cref="IGrainFactory"/> among the services and nothing else of Orleans.
/// </summary>
public static class ClusterApi
{
    /// <summary>Twice what the largest spec takes.</summary>
    public const int MaxBodyBytes = 2 << 20;

    internal const string Ready = "ready", Started = "started";

    /// <exception cref="BadInputException">The settings would open the API to other machines without being allowed to, or without a guard.</exception>
    public static WebApplicationBuilder AddClusterApi(this WebApplicationBuilder builder, ApiSettings settings)
    {
        builder.WebHost.UseUrls([.. settings.Addresses().Select(url => url.GetLeftPart(UriPartial.Authority))]);
        builder.Services
            .Configure<KestrelServerOptions>(o => (o.AddServerHeader, o.Limits.MaxRequestBodySize) = (false, MaxBodyBytes))
            .AddRouting()
            .AddSingleton(settings)
            .AddSingleton<ControlPlane>()
            .AddSingleton(TimeProvider.System)
            .AddSingleton<Uptime>()
            .AddSingleton(services => new UploadFolder(settings.Store, services.GetRequiredService<TimeProvider>()))
            .AddAccess(settings)
            .AddApiDescription()
            .AddHealthChecks()
            .AddCheck<ControlPlaneCheck>("control plane", tags: [Ready])
            .AddCheck<LifetimeCheck>("not ending", tags: [Ready])
            .AddCheck<LifetimeCheck>("started", tags: [Started]);
        builder.Services.AddMeters("cluster-dashboard").AddPrometheusExporter();
        return builder;
    }

    public static WebApplication MapClusterApi(this WebApplication app)
    {
        app.Services.GetRequiredService<Uptime>(); // It counts from here.
        app.Use((context, next) =>
        {
            ApiTelemetry.NameRequest(context);
            return next(context);
        });
        app.UseMiddleware<SecurityHeaders>();
        app.UseMiddleware<ApiErrors>();
        app.UseMiddleware<RequestRules>();
        app.UseAccess();

        // One word each, and for strangers too: whoever starts and stops this process has no token.
        app.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false }).For(Role.None).DisableRateLimiting();
        app.MapHealthChecks("/health/startup", new HealthCheckOptions { Predicate = check => check.Tags.Contains(Started) }).For(Role.None).DisableRateLimiting();
        app.MapHealthChecks("/health/ready", new HealthCheckOptions { Predicate = check => check.Tags.Contains(Ready) }).For(Role.None).DisableRateLimiting();

        app.MapPrometheusScrapingEndpoint(TelemetryExtensions.ScrapePath).For(Role.Viewer);

        var api = app.MapGroup("/api/v1").Refuses();
        api.MapSession();
        api.MapSubmit();
        api.MapValidate();
        api.MapJobs();
        api.MapMetrics();
        api.MapEvents();
        api.MapLogs();
        api.MapCheckpoints();
        api.MapLineage();
        api.MapParticipation();
        api.MapOrders();
        api.MapFiles();
        api.MapWorkers();
        api.MapCluster();
        app.MapApiDescription();
        app.MapPages();
        return app;
    }
}
