using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Cluster.ServiceDefaults;

/// <summary>
/// Telemetry by the conventions of .NET Aspire: logs, metrics and traces leave over OTLP when the environment says where to, and metrics
/// can be fetched where a process has an HTTP door. <c>docs/telemetry.md</c> says what there is.
/// </summary>
public static class TelemetryExtensions
{
    /// <summary>All our meters and activity sources have names of this form, such as <c>Cluster.Trainer</c>.</summary>
    public const string OwnNames = "Cluster.*";

    /// <summary>Where metrics are fetched, in Prometheus' format.</summary>
    public const string ScrapePath = "/metrics";

    /// <summary>OpenTelemetry's own variable, which the exporter reads by itself; an embedded host has no configuration to find it in.</summary>
    private const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT", ServiceVariable = "OTEL_SERVICE_NAME";

    /// <summary>
    /// Exports telemetry when <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set, and offers metrics at <see cref="ScrapePath"/> beside the health
    /// endpoints when <see cref="HealthExtensions.PortKey"/> is. Nothing is collected otherwise: there would be nobody to read it, and
    /// spans cost time in every grain call.
    /// </summary>
    /// <param name="service">Who this process is to readers, unless <c>OTEL_SERVICE_NAME</c> says otherwise.</param>
    /// <exception cref="Contracts.BadInputException">The setting is no port.</exception>
    public static TBuilder AddServiceDefaults<TBuilder>(this TBuilder builder, string service) where TBuilder : IHostApplicationBuilder
    {
        if (HealthExtensions.PortFrom(builder.Configuration) is { } port)
        {
            builder.Services.AddMeters(service).AddPrometheusHttpListener(options =>
            {
                (options.Port, options.ScrapeEndpointPath) = (port, ScrapePath);
                options.ConfigureHttpListener = (_, listener) =>
                {
                    // On every address, as the health endpoints, which the option Host has no word for.
                    listener.Prefixes.Clear();
                    listener.Prefixes.Add($"http://*:{port}{ScrapePath}/");
                };
            });
        }

        if (IsSet(EndpointVariable))
        {
            builder.Logging.AddOpenTelemetry(logging =>
            {
                logging.IncludeFormattedMessage = true;
                logging.IncludeScopes = true;
            });
            builder.Services.AddMeters(service);
            builder.Services.AddOpenTelemetry()
                // The source Microsoft.Orleans.Runtime is left out: it traces every timer tick.
                .WithTracing(tracing => tracing.AddSource("Microsoft.Orleans.Application", "Microsoft.AspNetCore", OwnNames).SetSampler(new ParentBasedSampler(new RootSampler())))
                .UseOtlpExporter();
        }

        return builder;
    }

    /// <summary>Collects the metrics of this process, for the readers that the caller adds. Harmless to repeat.</summary>
    public static MeterProviderBuilder AddMeters(this IServiceCollection services, string service)
    {
        MeterProviderBuilder? builder = null;
        services.AddOpenTelemetry().ConfigureResource(resource => Describe(resource, service)).WithMetrics(metrics => builder = metrics);
        return builder!.AddRuntimeInstrumentation().AddMeter("Microsoft.Orleans", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", OwnNames);
    }

    private static void Describe(ResourceBuilder resource, string service)
    {
        var version = Assembly.GetEntryAssembly()?.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
        resource.AddService(IsSet(ServiceVariable) ? Environment.GetEnvironmentVariable(ServiceVariable)! : service, serviceVersion: version);
    }

    private static bool IsSet(string variable) => !string.IsNullOrWhiteSpace(Environment.GetEnvironmentVariable(variable));
}
