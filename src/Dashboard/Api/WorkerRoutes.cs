using System.Collections.Immutable;
using Cluster.Contracts.Api;
using Cluster.Contracts.Jobs;
using Cluster.Dashboard.Access;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Cluster.Dashboard.Api;

/// <summary><c>/workers</c> and <c>/pool</c>: who is there, what they do, and which of them get no more work.</summary>
internal static class WorkerRoutes
{
    public static void MapWorkers(this RouteGroupBuilder api)
    {
        api.MapGet("/pool", PoolAsync).For(Role.Viewer)
            .Answers<PoolView>("ShowPool", "Workers, and the jobs that wait and run");
        api.MapGet("/workers", ListAsync).For(Role.Viewer)
            .Answers<ImmutableArray<PoolWorkerView>>("ListWorkers", "The workers");
        api.MapPost("/workers/{id}/drain", DrainAsync).For(Role.Admin)
            .Answers<PoolWorkerView>("DrainWorker", "Takes a worker from its job after its round, and gives it no other");
        api.MapPost("/workers/{id}/undrain", UndrainAsync).For(Role.Admin)
            .Answers<PoolWorkerView>("UndrainWorker", "Lets a drained worker serve again");
    }

    private static async Task<JsonHttpResult<PoolView>> PoolAsync(ControlPlane plane, CancellationToken cancellationToken) =>
        TypedResults.Json(await plane.PoolAsync(cancellationToken), ApiJson.Default.PoolView);

    private static async Task<JsonHttpResult<ImmutableArray<PoolWorkerView>>> ListAsync(ControlPlane plane, CancellationToken cancellationToken) =>
        TypedResults.Json((await plane.PoolAsync(cancellationToken)).Workers, ApiJson.Default.ImmutableArrayPoolWorkerView);

    private static async Task<JsonHttpResult<PoolWorkerView>> DrainAsync(string id, ControlPlane plane, CancellationToken cancellationToken) =>
        await AfterAsync(await plane.DrainAsync(Requests.CheckId(id, "worker"), cancellationToken), id, plane, cancellationToken);

    private static async Task<JsonHttpResult<PoolWorkerView>> UndrainAsync(string id, ControlPlane plane, CancellationToken cancellationToken) =>
        await AfterAsync(await plane.UndrainAsync(Requests.CheckId(id, "worker"), cancellationToken), id, plane, cancellationToken);

    private static async Task<JsonHttpResult<PoolWorkerView>> AfterAsync(bool isKnown, string id, ControlPlane plane, CancellationToken cancellationToken)
    {
        var worker = isKnown ? (await plane.PoolAsync(cancellationToken)).Workers.FirstOrDefault(w => w.Worker.Id == id) : null;
        return worker is null
            ? throw ApiRefusal.Missing($"there is no worker {id}")
            : TypedResults.Json(worker, ApiJson.Default.PoolWorkerView);
    }
}
