using Cluster.Contracts;
using Cluster.Contracts.Api;
using Cluster.Dashboard.Access;
using Cluster.Dashboard.Jobs;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Cluster.Dashboard.Api;

/// <summary>
/// <c>/files</c>: data and modules for jobs, from whoever has no access to the store. A body goes straight to the disk. What a name stands for
/// does not change while it is there, so that the same request sent twice is one file, and a job that goes on finds what it began with.
/// </summary>
internal static class FileRoutes
{
    private const int MaxCount = 500;

    public static void MapFiles(this RouteGroupBuilder api)
    {
        api.MapGet("/files", List).For(Role.Viewer)
            .Answers<FilePage>("ListFiles", "Uploaded files, by name");
        api.MapGet("/files/{name}", Show).For(Role.Viewer)
            .Answers<UploadedFile>("GetFile", "An uploaded file: its size and its hash");
        api.MapPut("/files/{name}", UploadAsync).For(Role.Submitter)
            .Accepts<Stream>(isOptional: true, "application/octet-stream", "*/*")
            .Answers<UploadedFile>("UploadFile", "Uploads a file; its bytes are the body");
        api.MapDelete("/files/{name}", Delete).For(Role.Submitter)
            .WithName("DeleteFile").WithSummary("Deletes an uploaded file").Produces(StatusCodes.Status204NoContent);
    }

    private static JsonHttpResult<FilePage> List(int? skip, int? count, UploadFolder uploads)
    {
        var wanted = Requests.CheckRange(count, 50, "count", 1, MaxCount);
        var from = Requests.CheckRange(skip, 0, "skip", 0, int.MaxValue - MaxCount);
        var names = uploads.Names();
        var page = names.Skip(from).Take(wanted).Select(uploads.Find).OfType<UploadedFile>();
        return TypedResults.Json(new FilePage([.. page], names.Count, from + wanted < names.Count ? from + wanted : null), ApiJson.Default.FilePage);
    }

    private static JsonHttpResult<UploadedFile> Show(string name, UploadFolder uploads) =>
        TypedResults.Json(uploads.Find(Checked(name)) ?? throw Missing(name), ApiJson.Default.UploadedFile);

    private static async Task<JsonHttpResult<UploadedFile>> UploadAsync(string name, HttpContext context, UploadFolder uploads, ApiSettings settings, CancellationToken cancellationToken)
    {
        Checked(name);
        // The server's own limit is for requests that are read into memory. A byte more, so that the words for too large a body are ours.
        context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = settings.MaxUploadBytes + 1;
        if (context.Request.ContentLength > settings.MaxUploadBytes) { throw UploadFolder.TooLarge(settings.MaxUploadBytes); }
        return TypedResults.Json(await uploads.WriteAsync(name, context.Request.Body, settings.MaxUploadBytes, cancellationToken), ApiJson.Default.UploadedFile);
    }

    private static NoContent Delete(string name, UploadFolder uploads) => uploads.Remove(Checked(name)) ? TypedResults.NoContent() : throw Missing(name);

    private static string Checked(string name) => Ids.IsValid(name) ? name : throw ApiRefusal.Wrong($"this is no name of a file; allowed: {Ids.Rule}");

    private static ApiRefusal Missing(string name) => ApiRefusal.Missing($"there is no uploaded file {name}");
}
