using Cluster.Contracts;
using Cluster.Contracts.Api;
using Cluster.Contracts.Spec;

namespace Cluster.Dashboard.Api;

/// <summary>A request that cannot be answered as asked; becomes an <see cref="ApiProblem"/>.</summary>
internal sealed class ApiRefusal(int status, string title, string detail, IReadOnlyList<SpecProblem>? problems = null) : Exception(detail)
{
    public ApiProblem Problem { get; } = new(title, status, detail, problems);

    public static ApiRefusal Wrong(string detail) => new(StatusCodes.Status400BadRequest, "The request is wrong", detail);

    public static ApiRefusal Missing(string detail) => new(StatusCodes.Status404NotFound, "Not found", detail);

    public static ApiRefusal Conflict(string detail) => new(StatusCodes.Status409Conflict, "Not possible in this state", detail);
}

/// <summary>Every error leaves as an <see cref="ApiProblem"/>. What is ours is logged, and never shown.</summary>
internal sealed partial class ApiErrors(RequestDelegate next, ILogger<ApiErrors> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
            if (OfStatus(context) is { } empty) { await WriteAsync(context, empty); }
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested || (IsEnding(context) && context.Response.HasStarted))
        {
            // Nobody is there to read an answer, or this server ends: an event stream ends without its last event.
        }
        catch (ClusterUnreachableException) when (context.Response.HasStarted)
        {
            // An event stream ends without its last event, so whoever reads it asks again.
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            await WriteAsync(context, Of(e, context));
        }
        catch (Exception e)
        {
            LogFault(e, context.Request.Method, context.Request.Path);
            context.Abort();
        }
    }

    private ApiProblem Of(Exception e, HttpContext context)
    {
        switch (e)
        {
            case ApiRefusal refusal:
                return refusal.Problem;
            case BadInputException wrong:
                return ApiRefusal.Wrong(wrong.Message).Problem;
            case BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }:
                return new("The request is too large", StatusCodes.Status413PayloadTooLarge, $"a body may have {ClusterApi.MaxBodyBytes} bytes");
            case BadHttpRequestException wrong:
                return new("The request is wrong", wrong.StatusCode, wrong.Message);
            case OperationCanceledException when IsEnding(context):
                return new("The server ends", StatusCodes.Status503ServiceUnavailable, "the API is about to end; ask again when it is back");
            case ClusterUnreachableException away:
                return new("The control plane is away", StatusCodes.Status503ServiceUnavailable, away.Message);
            default:
                LogFault(e, context.Request.Method, context.Request.Path);
                return new("Internal error", StatusCodes.Status500InternalServerError, "the request failed for a reason of the server's own; its log says more");
        }
    }

    private static bool IsEnding(HttpContext context) =>
        context.RequestServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested;

    /// <summary>For what routing refuses by itself, with a status and no words.</summary>
    private static ApiProblem? OfStatus(HttpContext context)
    {
        var response = context.Response;
        return response.HasStarted || response.StatusCode < 400 || response.ContentType is not null ? null : response.StatusCode switch
        {
            StatusCodes.Status404NotFound => ApiRefusal.Missing($"there is nothing at {context.Request.Path}").Problem,
            StatusCodes.Status405MethodNotAllowed => new("Method not allowed", response.StatusCode, $"{context.Request.Method} is not for {context.Request.Path}; allowed: {response.Headers.Allow}"),
            var status => new("The request is wrong", status, $"{context.Request.Path}{context.Request.QueryString} holds a value that is not of the kind that is needed there, such as a word for a number"),
        };
    }

    private static Task WriteAsync(HttpContext context, ApiProblem problem)
    {
        context.Response.StatusCode = problem.Status;
        return context.Response.WriteAsJsonAsync(problem, ApiJson.Default.ApiProblem, ApiProblem.ContentType, context.RequestAborted);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private partial void LogFault(Exception exception, string method, string path);
}
