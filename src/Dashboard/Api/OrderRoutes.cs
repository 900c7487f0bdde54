using Cluster.Contracts;
using Cluster.Contracts.Api;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Continual;
using Cluster.Dashboard.Access;
using Cluster.Dashboard.Jobs;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Cluster.Dashboard.Api;

/// <summary>
/// <c>/jobs/{id}/append</c> and <c>/jobs/{id}/release</c>: one more stage or release for a continual job. When they answer 202, the
/// order is durable, and the job takes it up at the end of a round; <c>GET /jobs/{id}</c> says among its orders what became of it.
/// </summary>
internal static class OrderRoutes
{
    public static void MapOrders(this RouteGroupBuilder api)
    {
        api.MapPost("/jobs/{id}/append", AppendAsync).For(Role.Submitter)
            .Takes<AppendRequest>().Answers<JobOrder>("AppendStage", "Orders one more stage of a continual job", status: 202);
        api.MapPost("/jobs/{id}/release", ReleaseAsync).For(Role.Submitter)
            .Takes<ReleaseRequest>().Answers<JobOrder>("OrderRelease", "Orders one more release of a continual job", status: 202);
    }

    private static async Task<JsonHttpResult<JobOrder>> AppendAsync(string id, HttpContext context, ControlPlane plane, UploadFolder uploads, CancellationToken cancellationToken)
    {
        var request = await context.Request.ReadBodyAsync(ApiJson.Default.AppendRequest, cancellationToken);
        var roots = Requests.CheckRoots(request.DataRoots ?? []);
        if (request.Stage.Contains(Uploads.Prefix, StringComparison.Ordinal)) { roots = [.. roots, uploads.Path]; }
        return await OrderAsync(id, OrderKind.Append, request.Stage, roots, spec => SpecExtension.Append(spec, request.Stage, "stage"), plane, cancellationToken);
    }

    private static async Task<JsonHttpResult<JobOrder>> ReleaseAsync(string id, HttpContext context, ControlPlane plane, CancellationToken cancellationToken)
    {
        var request = await context.Request.ReadBodyAsync(ApiJson.Default.ReleaseRequest, cancellationToken);
        return await OrderAsync(id, OrderKind.Release, request.Release, [], spec => SpecExtension.Release(spec, request.Release, "release", at: 1), plane, cancellationToken);
    }

    private static async Task<JsonHttpResult<JobOrder>> OrderAsync(
        string id, OrderKind kind, string text, IReadOnlyList<string> roots, Func<string, SpecResult> check, ControlPlane plane, CancellationToken cancellationToken)
    {
        var job = await plane.JobAsync(id, cancellationToken);
        var problems = job.State.IsFinal ? [] : check(job.Submission!.SpecText).Problems; // Of one that has ended, that comes first.
        if (problems.Count > 0) { throw new ApiRefusal(StatusCodes.Status400BadRequest, "The order is wrong", string.Join('\n', problems), problems); }

        var result = await plane.OrderAsync(id, kind, text, [.. roots], cancellationToken);
        return TypedResults.Json(result.Order ?? throw ApiRefusal.Conflict(result.Refusal!), ApiJson.Default.JobOrder, statusCode: StatusCodes.Status202Accepted);
    }
}
