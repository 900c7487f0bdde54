using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Cluster.Contracts.Api;
using Cluster.Contracts.Jobs;
using Cluster.Dashboard.Access;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Cluster.Dashboard.Api;

/// <summary>
/// <c>GET /jobs/{id}/events</c>: the job whenever it has changed, with the samples that are new, until it has ended. An event's id
/// is the number of its newest sample; a stream begins behind the one of <c>Last-Event-ID</c>, else of <c>?after=</c>.
/// </summary>
internal static class EventRoutes
{
    public static void MapEvents(this RouteGroupBuilder api) => api.MapGet("/jobs/{id}/events", WatchAsync).For(Role.Viewer).RequireRateLimiting(RateRules.Streams)
            .Answers<JobView>("WatchJob", "A stream of the job whenever it has changed, with the samples that are new", contentType: "text/event-stream");

    private static async Task<ServerSentEventsResult<string>> WatchAsync(string id, long? after, HttpContext context, ControlPlane plane, CancellationToken cancellationToken)
    {
        await plane.JobAsync(id, cancellationToken);
        if (after < 0) { throw ApiRefusal.Wrong($"after is {after}; allowed: 0 or more"); }
        var from = LastSample(context.Request, after ?? 0);
        return EventStream.Of(context, token => ChangesAsync(plane, id, from, token));
    }

    private static async IAsyncEnumerable<SseItem<string>?> ChangesAsync(
        ControlPlane plane, string id, long after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var last = "";
        await foreach (var view in plane.WatchAsync(id, after, cancellationToken))
        {
            var json = JsonSerializer.Serialize(view with { Submission = null }, ApiJson.Default.JobView);
            yield return json == last ? null : new SseItem<string>(json, ApiEvents.Job) { EventId = view.LastSample.ToString(CultureInfo.InvariantCulture) };
            last = json;
        }
    }

    private static long LastSample(HttpRequest request, long byDefault) => request.Headers["Last-Event-ID"].ToString() switch
    {
        "" => byDefault,
        var text when long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) => number,
        var text => throw ApiRefusal.Wrong($"Last-Event-ID is '{text}'; the id of an event of this stream is needed"),
    };
}
