using Cluster.Contracts.Api;
using Cluster.Contracts.Federation;
using Cluster.Dashboard.Access;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Cluster.Dashboard.Api;

/// <summary><c>/jobs/{id}/participation</c>: which rounds of a federated job did without which of its clients, and why.</summary>
internal static class ParticipationRoutes
{
    private const int MaxCount = 500;

    public static void MapParticipation(this RouteGroupBuilder api) => api.MapGet("/jobs/{id}/participation", ShowAsync).For(Role.Viewer)
            .Answers<ParticipationPage>("ShowParticipation", "Which rounds of a federated job did without which clients");

    private static async Task<JsonHttpResult<ParticipationPage>> ShowAsync(string id, long? after, int? count, ControlPlane plane, CancellationToken cancellationToken)
    {
        if (after < 0) { throw ApiRefusal.Wrong($"after is {after}; allowed: 0 or more"); }
        var wanted = Requests.CheckRange(count, 100, "count", 1, MaxCount);
        await plane.JobAsync(id, cancellationToken);
        return TypedResults.Json(await plane.ParticipationAsync(id, after ?? 0, wanted, cancellationToken), ApiJson.Default.ParticipationPage);
    }
}
