using Cluster.Contracts.Api;
using Cluster.Contracts.Spec;
using Cluster.Dashboard.Access;
using Cluster.Dashboard.Jobs;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Cluster.Dashboard.Api;

/// <summary><c>POST /validate</c>: everything that is wrong with a spec, while a person types it.</summary>
internal static class ValidateRoute
{
    public static void MapValidate(this RouteGroupBuilder api) => api.MapPost("/validate", ValidateAsync).For(Role.Viewer)
            .Takes<ValidateRequest>().Answers<ValidateResponse>("ValidateSpec", "Everything that is wrong with a spec; nothing is submitted");

    private static async Task<JsonHttpResult<ValidateResponse>> ValidateAsync(HttpContext context, UploadFolder uploads, CancellationToken cancellationToken)
    {
        var request = await context.Request.ReadBodyAsync(ApiJson.Default.ValidateRequest, cancellationToken);
        var result = SpecReader.Read(request.Spec, "spec", Requests.CheckOverrides(request.Set));
        var problems = result.Spec is { } read ? NamedFiles.Missing(read, uploads) : result.Problems;
        var answer = result.Spec is { } spec && problems.Count == 0
            ? new ValidateResponse([], spec.Name, SpecSummary.MethodOf(spec), SpecHash.Of(spec), SpecText.Write(spec))
            : new ValidateResponse(problems);
        return TypedResults.Json(answer, ApiJson.Default.ValidateResponse);
    }
}
