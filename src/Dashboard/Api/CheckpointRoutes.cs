using System.Collections.Immutable;
using Cluster.Contracts;
using Cluster.Contracts.Api;
using Cluster.Dashboard.Access;
using Cluster.Dashboard.Jobs;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Cluster.Dashboard.Api;

/// <summary><c>/jobs/{id}/checkpoints</c>: lists them and hands out their files, so that a model can be had without the store.</summary>
internal static class CheckpointRoutes
{
    public static void MapCheckpoints(this RouteGroupBuilder api)
    {
        api.MapGet("/jobs/{id}/checkpoints", ListAsync).For(Role.Viewer)
            .Answers<ImmutableArray<CheckpointView>>("ListCheckpoints", "The checkpoints of a job, newest first");
        api.MapGet("/jobs/{id}/checkpoints/{round}/{file}", FileAsync).For(Role.Viewer)
            .Answers<Stream>("GetCheckpointFile", "A file of a checkpoint", contentType: "application/octet-stream");
    }

    private static async Task<JsonHttpResult<ImmutableArray<CheckpointView>>> ListAsync(
        string id, ControlPlane plane, ApiSettings settings, CancellationToken cancellationToken)
    {
        await plane.JobAsync(id, cancellationToken);
        return TypedResults.Json(CheckpointFolder.List(new JobFolder(settings.Store, id).Checkpoints), ApiJson.Default.ImmutableArrayCheckpointView);
    }

    private static async Task<PhysicalFileHttpResult> FileAsync(
        string id, long round, string file, ControlPlane plane, ApiSettings settings, CancellationToken cancellationToken)
    {
        await plane.JobAsync(id, cancellationToken);
        var found = CheckpointFolder.File(new JobFolder(settings.Store, id).Checkpoints, round, file)
            ?? throw ApiRefusal.Missing($"job {id} has no such file of a checkpoint of round {round}; a checkpoint has {string.Join(", ", JobLayout.CheckpointFiles)}");
        return TypedResults.PhysicalFile(found.FullName, "application/octet-stream", enableRangeProcessing: true);
    }
}
