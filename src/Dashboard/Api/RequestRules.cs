using System.Net;
using Microsoft.Net.Http.Headers;

namespace Cluster.Dashboard.Api;

/// <summary>
/// Keeps web pages of strangers, open in a browser on this machine, from commanding the cluster. A page whose name was made to
/// resolve to 127.0.0.1 (DNS rebinding) shows by its Host header. A page of another site shows by its Origin header; and its forms
/// and scripts can send a POST only as a form or as plain text without the browser asking first, and the API answers no such
/// question (it allows no CORS).
/// </summary>
internal sealed class RequestRules(RequestDelegate next, ApiSettings settings)
{
    public Task InvokeAsync(HttpContext context)
    {
        var request = context.Request;
        if (!settings.AllowRemote && !IsLoopback(request.Host.Host))
        {
            throw ApiRefusal.Wrong($"the Host header names '{request.Host}'; this API answers to localhost and loopback addresses alone");
        }

        if (!IsRead(request.Method) && request.Headers.Origin is { Count: > 0 } origin && !IsSameOrigin(origin.ToString(), request.Host))
        {
            throw new ApiRefusal(StatusCodes.Status403Forbidden, "Not allowed", "a page of another site asked for this; behind a proxy, let it hand the Host header on");
        }

        if (HttpMethods.IsPost(request.Method) && !IsJson(request.ContentType))
        {
            throw new ApiRefusal(StatusCodes.Status415UnsupportedMediaType, "The request is wrong", "a POST must have the header Content-Type: application/json");
        }

        return next(context);
    }

    private static bool IsRead(string method) => HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method);

    /// <summary>Browsers say with every change whose page asked for it; programs say nothing.</summary>
    private static bool IsSameOrigin(string origin, HostString host) =>
        Uri.TryCreate(origin, UriKind.Absolute, out var page) && page.Authority.Equals(host.Value, StringComparison.OrdinalIgnoreCase);

    private static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));

    private static bool IsJson(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type) && type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase);
}
