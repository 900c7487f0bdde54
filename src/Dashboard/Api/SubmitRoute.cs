using System.Collections.Immutable;
using Cluster.Contracts.Api;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Spec;
using Cluster.Dashboard.Access;
using Cluster.Dashboard.Jobs;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Cluster.Dashboard.Api;

/// <summary>
/// <c>POST /jobs</c>: checks the spec, gives the job an id and a folder, and hands it to its grain. When it answers 201, the job
/// is durable.
/// </summary>
internal static class SubmitRoute
{
    private const int MaxTokenLength = 256;
    private const int MaxWorkers = 1024;

    public static void MapSubmit(this RouteGroupBuilder api) => api.MapPost("/jobs", SubmitAsync).For(Role.Submitter)
            .Takes<SubmitRequest>().Answers<SubmitResponse>("SubmitJob", "Submits a job", status: 201);

    private static async Task<JsonHttpResult<SubmitResponse>> SubmitAsync(
        HttpContext context, ControlPlane plane, ApiSettings settings, UploadFolder uploads, CancellationToken cancellationToken)
    {
        var request = await context.Request.ReadBodyAsync(ApiJson.Default.SubmitRequest, cancellationToken);
        var spec = NamedFiles.Record(ReadSpec(request), uploads);
        var (min, max) = WorkersOf(request, spec);
        var id = request.Token switch
        {
            null => JobIdentity.New(spec.Name),
            { Length: >= 1 and <= MaxTokenLength } token => JobIdentity.Of(spec.Name, token),
            { Length: var length } => throw ApiRefusal.Wrong($"token has {length} characters; allowed: 1 to {MaxTokenLength}"),
        };

        var folder = new JobFolder(settings.Store, id);
        var text = SpecText.Write(spec);
        ImmutableArray<string> roots = [.. Requests.CheckRoots(request.DataRoots ?? []).Concat(settings.DataRoots).Concat(NamedFiles.RootsOf(spec, uploads)).Distinct(StringComparer.Ordinal)];
        folder.Create();
        var refusal = await plane.SubmitAsync(id, new(text, SpecHash.Of(spec), folder.Path, roots, min, max, Resume: false) { Sites = [.. spec.Federated?.Sites ?? []] }, cancellationToken);
        if (refusal is not null)
        {
            folder.RemoveIfEmpty();
            throw ApiRefusal.Conflict(refusal);
        }

        folder.WriteSpec(text);
        context.Response.Headers.Location = $"/api/v1/jobs/{id}";
        return TypedResults.Json(new SubmitResponse(id), ApiJson.Default.SubmitResponse, statusCode: StatusCodes.Status201Created);
    }

    private static JobSpec ReadSpec(SubmitRequest request)
    {
        var result = SpecReader.Read(request.Spec, "spec", Requests.CheckOverrides(request.Set));
        return result.Spec ?? throw NamedFiles.Refusal(result.Problems);
    }

    private static (int Min, int Max) WorkersOf(SubmitRequest request, JobSpec spec)
    {
        if (request is { Workers: not null } and not { MinWorkers: null, MaxWorkers: null })
        {
            throw ApiRefusal.Wrong("workers is a fixed number, so minWorkers and maxWorkers cannot be given with it");
        }

        var min = Requests.CheckRange(request.Workers ?? request.MinWorkers, spec.Workers.Min, request.Workers is null ? "minWorkers" : "workers", 1, MaxWorkers);
        var byDefault = request.Workers ?? Math.Max(min, spec.Workers.Max ?? spec.Workers.Min);
        return (min, Requests.CheckRange(request.MaxWorkers, byDefault, "maxWorkers", min, MaxWorkers));
    }
}
