using Microsoft.Net.Http.Headers;

namespace Cluster.Dashboard.Access;

/// <summary>
/// What browsers are told with every answer: scripts and styles come from here alone and never from within a page, nobody frames
/// the pages, and nothing is kept by a cache that may hold another caller's data.
/// </summary>
internal sealed class SecurityHeaders(RequestDelegate next)
{
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        + "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

    public Task InvokeAsync(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers[HeaderNames.ContentSecurityPolicy] = Policy;
        headers[HeaderNames.XContentTypeOptions] = "nosniff";
        headers[HeaderNames.XFrameOptions] = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()";
        headers[HeaderNames.CacheControl] = "no-store";
        if (context.Request.IsHttps) { headers[HeaderNames.StrictTransportSecurity] = "max-age=31536000"; }
        return next(context);
    }
}
