using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Cluster.Contracts.Api;
using Cluster.Contracts.Jobs;
using Cluster.Dashboard.Access;
using Cluster.Dashboard.Jobs;

namespace Cluster.Dashboard.Api;

/// <summary>
/// <c>GET /jobs/{id}/logs?worker=&amp;follow=</c>: the newest lines of the workers' logs, and with <c>follow=true</c> those that come,
/// until the job has ended. An event's id says how far each log was read.
/// </summary>
internal static class LogRoutes
{
    private static readonly TimeSpan FollowPeriod = TimeSpan.FromMilliseconds(300);

    public static void MapLogs(this RouteGroupBuilder api) => api.MapGet("/jobs/{id}/logs", ReadAsync).For(Role.Viewer).RequireRateLimiting(RateRules.Streams)
            .Answers<LogPage>("ReadLogs", "The newest lines of the logs; with follow=true a stream of log events");

    private static async Task<IResult> ReadAsync(
        string id, string? worker, bool? follow, HttpContext context, ControlPlane plane, ApiSettings settings, CancellationToken cancellationToken)
    {
        await plane.JobAsync(id, cancellationToken);
        var logs = new LogFolder(new JobFolder(settings.Store, id).Logs, worker is null ? null : Requests.CheckId(worker, "worker"));
        if (follow is true)
        {
            var from = Resumed(context.Request) ?? logs.Tail(out _);
            return EventStream.Of(context, token => FollowAsync(plane, id, logs, from, token));
        }

        if (worker is not null && !logs.Exists) { throw ApiRefusal.Missing($"job {id} has no log of a worker {worker}"); }
        var (lines, _) = logs.Read(logs.Tail(out var isTruncated), isLast: true);
        return TypedResults.Json(new LogPage(lines, isTruncated), ApiJson.Default.LogPage);
    }

    private static async IAsyncEnumerable<SseItem<string>?> FollowAsync(
        ControlPlane plane, string id, LogFolder logs, LogCursor cursor, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var period = new PeriodicTimer(FollowPeriod);
        while (true)
        {
            // The state first: what was written before the end is read after it.
            var isEnded = (await plane.SummaryAsync(id, cancellationToken)).State.IsFinal;
            var (lines, next) = logs.Read(cursor, isEnded);
            cursor = next;
            if (lines.IsEmpty)
            {
                if (isEnded) { yield break; }
                yield return null;
                await period.WaitForNextTickAsync(cancellationToken);
                continue;
            }

            var json = JsonSerializer.Serialize(new LogPage(lines, IsTruncated: false), ApiJson.Default.LogPage);
            yield return new SseItem<string>(json, ApiEvents.Log) { EventId = cursor.ToString() };
        }
    }

    private static LogCursor? Resumed(HttpRequest request) => request.Headers["Last-Event-ID"].ToString() switch
    {
        "" => null,
        var text => LogCursor.Parse(text) ?? throw ApiRefusal.Wrong("Last-Event-ID is not the id of an event of this stream"),
    };
}
