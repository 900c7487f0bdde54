using Cluster.Contracts.Api;
using Cluster.Contracts.Jobs;
using Cluster.Dashboard.Access;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Cluster.Dashboard.Api;

/// <summary><c>/jobs/{id}/metrics</c>: all curves of a job from its beginning, down-sampled, for charts.</summary>
internal static class MetricRoutes
{
    public static void MapMetrics(this RouteGroupBuilder api) => api.MapGet("/jobs/{id}/metrics", ShowAsync).For(Role.Viewer)
            .Answers<MetricsView>("GetMetrics", "All curves of a job from its beginning, down-sampled");

    private static async Task<JsonHttpResult<MetricsView>> ShowAsync(string id, ControlPlane plane, CancellationToken cancellationToken)
    {
        await plane.JobAsync(id, cancellationToken);
        return TypedResults.Json(await plane.MetricsAsync(id, cancellationToken), ApiJson.Default.MetricsView);
    }
}
