using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Cluster.Contracts.Api;
using Cluster.Dashboard.Telemetry;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Cluster.Dashboard.Api;

/// <summary>
/// Server-Sent Events around a source that is polled: a ping at once and whenever nothing was sent for a while, so that both
/// sides know that the other is there, and an end when all is said. A server that stops lets go of its streams without one.
/// </summary>
internal static class EventStream
{
    private static readonly TimeSpan PingPeriod = TimeSpan.FromSeconds(15);

    private const string Nothing = "{}"; // Events without data are dropped by those who read them.

    /// <param name="source">Given the token that ends it; null says that nothing is new.</param>
    public static ServerSentEventsResult<string> Of(HttpContext context, Func<CancellationToken, IAsyncEnumerable<SseItem<string>?>> source)
    {
        var lifetime = context.RequestServices.GetRequiredService<IHostApplicationLifetime>();
        var clock = context.RequestServices.GetRequiredService<TimeProvider>();
        return TypedResults.ServerSentEvents(Run(source, clock, lifetime.ApplicationStopping, context.RequestAborted));
    }

    private static async IAsyncEnumerable<SseItem<string>> Run(
        Func<CancellationToken, IAsyncEnumerable<SseItem<string>?>> source, TimeProvider clock, CancellationToken stopping,
        [EnumeratorCancellation] CancellationToken aborted)
    {
        using var open = ApiTelemetry.Stream();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stopping, aborted);
        yield return new SseItem<string>(Nothing, ApiEvents.Ping);
        var sent = clock.GetTimestamp();
        await foreach (var item in source(ended.Token))
        {
            if (item is null && clock.GetElapsedTime(sent) < PingPeriod) { continue; }
            sent = clock.GetTimestamp();
            yield return item ?? new SseItem<string>(Nothing, ApiEvents.Ping);
        }

        yield return new SseItem<string>(Nothing, ApiEvents.End);
    }
}
