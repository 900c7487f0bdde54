using Cluster.Contracts.Api;
using Cluster.Contracts.Lineage;
using Cluster.Dashboard.Access;
using Cluster.Dashboard.Jobs;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Cluster.Dashboard.Api;

/// <summary><c>/jobs/{id}/lineage</c>: trunk, releases and what was measured on each, of a continual job.</summary>
internal static class LineageRoutes
{
    public static void MapLineage(this RouteGroupBuilder api) => api.MapGet("/jobs/{id}/lineage", ShowAsync).For(Role.Viewer)
            .Answers<LineageView>("ShowLineage", "Trunk, releases and forgetting matrix of a continual job");

    private static async Task<JsonHttpResult<LineageView>> ShowAsync(string id, ControlPlane plane, ApiSettings settings, CancellationToken cancellationToken)
    {
        var job = await plane.JobAsync(id, cancellationToken);
        var lineage = LineageFolder.Read(new JobFolder(settings.Store, id).Path)
            ?? throw ApiRefusal.Missing($"job {id} has no lineage: only jobs of method continual have more than one line of checkpoints");
        return TypedResults.Json(lineage with { Orders = job.Orders }, ApiJson.Default.LineageView);
    }
}
