using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Cluster.ServiceDefaults;

/// <summary>Telemetry by the conventions of .NET Aspire: logs, metrics and traces leave over OTLP when the environment says where to.</summary>
public static class TelemetryExtensions
{
    /// <summary>All our meters and activity sources have names of this form, such as <c>Cluster.Jobs</c>.</summary>
    public const string OwnNames = "Cluster.*";

    /// <summary>
    /// Collects and exports telemetry when <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set. Nothing is collected otherwise: there
    /// would be nobody to read it, and spans cost time in every grain call.
    /// </summary>
    public static TBuilder AddServiceDefaults<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        // The exporter reads the same variable by itself; an embedded host has no configuration to find it in.
        if (string.IsNullOrWhiteSpace(Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT")))
        {
            return builder;
        }

        builder.Logging.AddOpenTelemetry(logging =>
        {
            logging.IncludeFormattedMessage = true;
            logging.IncludeScopes = true;
        });
        builder.Services.AddOpenTelemetry()
            .WithMetrics(metrics => metrics.AddRuntimeInstrumentation().AddMeter("Microsoft.Orleans", OwnNames))
            // The source Microsoft.Orleans.Runtime is left out: it traces every timer tick.
            .WithTracing(tracing => tracing.AddSource("Microsoft.Orleans.Application", OwnNames))
            .UseOtlpExporter();
        return builder;
    }
}
