using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Cluster.Contracts.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Cluster.Dashboard.Api;

/// <summary>
/// <c>GET /jobs/{id}/events</c>: the job whenever it has changed, with the samples that are new, until it has ended. An event's id
/// is the number of its newest sample.
/// </summary>
internal static class EventRoutes
{
    public static void MapEvents(this RouteGroupBuilder api) => api.MapGet("/jobs/{id}/events", WatchAsync);

    private static async Task<ServerSentEventsResult<string>> WatchAsync(string id, HttpContext context, ControlPlane plane, CancellationToken cancellationToken)
    {
        await plane.JobAsync(id, cancellationToken);
        var after = LastSample(context.Request);
        return EventStream.Of(context, token => ChangesAsync(plane, id, after, token));
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

    private static long LastSample(HttpRequest request) => request.Headers["Last-Event-ID"].ToString() switch
    {
        "" => 0,
        var text when long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) => number,
        var text => throw ApiRefusal.Wrong($"Last-Event-ID is '{text}'; the id of an event of this stream is needed"),
    };
}
