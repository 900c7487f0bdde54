using System.Diagnostics;
using System.Diagnostics.Metrics;
using Cluster.Contracts.Telemetry;
using Microsoft.AspNetCore.Http.Features;

namespace Cluster.Dashboard.Telemetry;

/// <summary>
/// The instruments and spans of the API, beside those of ASP.NET Core. <c>docs/telemetry.md</c> is their table, and a test holds the two
/// together.
/// </summary>
internal static class ApiTelemetry
{
    public const string Name = "Cluster.Api";

    public const string SubmitSpan = "job.submit";

    private static readonly ActivitySource s_source = new(Name);

    private static readonly Meter s_meter = new(Name);

    private static readonly Counter<long> s_submissions = s_meter.CreateCounter<long>("cluster.api.submissions", "{job}", "Jobs that were handed to the control plane");

    private static readonly UpDownCounter<long> s_streams = s_meter.CreateUpDownCounter<long>("cluster.api.streams", "{stream}", "Event streams that are open");

    /// <summary>The span in which a job is submitted; its trace goes with the job. Null where nobody listens.</summary>
    public static Activity? Submit(string jobId) => s_source.StartActivity(SubmitSpan, ActivityKind.Producer, default(ActivityContext), [new(TelemetryKeys.Job, jobId)]);

    public static void Submitted(Activity? span, string? refusal)
    {
        s_submissions.Add(1, new KeyValuePair<string, object?>(TelemetryKeys.Outcome, refusal is null ? "taken" : "refused"));
        if (refusal is not null) { span?.SetStatus(ActivityStatusCode.Error, refusal); }
    }

    /// <summary>The request's span gets the name of its route, as OpenTelemetry asks: <c>POST /api/v1/jobs</c>.</summary>
    public static void NameRequest(HttpContext context)
    {
        if (context.Features.Get<IHttpActivityFeature>()?.Activity is { IsAllDataRequested: true } span && context.GetEndpoint() is RouteEndpoint { RoutePattern.RawText: { } route })
        {
            span.DisplayName = $"{context.Request.Method} {route}";
        }
    }

    /// <summary>Open until it is disposed of.</summary>
    public static OpenStream Stream() => new(1);

    internal readonly struct OpenStream : IDisposable
    {
        internal OpenStream(int count) => s_streams.Add(count);

        public void Dispose() => s_streams.Add(-1);
    }
}
