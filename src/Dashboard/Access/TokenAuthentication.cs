using System.Text.Encodings.Web;
using Cluster.Contracts.Api;
using Cluster.Dashboard.Api;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Cluster.Dashboard.Access;

/// <summary>
/// Who a caller is, by a token in the header <c>Authorization: Bearer</c>, or in the cookie of a browser that has logged in.
/// </summary>
/// <remarks>
/// The cookie holds the token itself. So every dashboard understands it, without a key or a table of sessions that they would
/// share, and a token that is revoked is so in open browsers too. Scripts cannot read it, and no other site's page makes a browser
/// send it (<c>HttpOnly</c>, <c>SameSite=Strict</c>).
/// </remarks>
internal sealed class TokenAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder, TokenRegistry tokens)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    public new const string Scheme = "Token";
    public const string Cookie = "cluster-token";

    private const string Bearer = "Bearer ";

    /// <summary>The token of the request's header, else of its cookie; null when it has none.</summary>
    public static string? TokenOf(HttpRequest request) => BearerOf(request) ?? (request.Cookies.TryGetValue(Cookie, out var cookie) ? cookie : null);

    /// <summary>What stands behind <c>Bearer</c> in the request's header.</summary>
    public static string? BearerOf(HttpRequest request) =>
        request.Headers.Authorization.ToString() is var header && header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) ? header[Bearer.Length..].Trim() : null;

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (tokens.Unnamed() is { } anybody) { return Task.FromResult(Success(anybody)); }
        return Task.FromResult(TokenOf(Request) is not { } token ? AuthenticateResult.NoResult()
            : tokens.Find(token) is { } caller ? Success(caller)
            : AuthenticateResult.Fail("the token is not known, is revoked, or has expired"));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        if (IsPage(Request))
        {
            Response.Redirect($"/login?from={Uri.EscapeDataString($"{Request.Path.ToUriComponent()}{Request.QueryString}")}");
            return Task.CompletedTask;
        }

        Response.Headers[HeaderNames.WWWAuthenticate] = "Bearer";
        throw new ApiRefusal(StatusCodes.Status401Unauthorized, "Who are you?", TokenOf(Request) is null
            ? "the API needs a token: the header Authorization: Bearer TOKEN, CLUSTER_TOKEN for the tool, or a log-in at /login; 'cluster token create' makes one"
            : "the token is not known here, was revoked, or has expired; 'cluster token create' makes another");
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        var needed = Context.GetEndpoint()?.Metadata.GetOrderedMetadata<NeededRole>().Max(n => n.Role) ?? Role.Viewer;
        var caller = Callers.Of(Context.User);
        throw new ApiRefusal(StatusCodes.Status403Forbidden, "Not allowed", $"this needs the role {needed}; {caller?.Name ?? "the caller"} has {caller?.Role ?? Role.None}");
    }

    private AuthenticateResult Success(Caller caller) => AuthenticateResult.Success(new(caller.Principal(Scheme), Scheme));

    /// <summary>A browser that goes somewhere, as opposed to a program or a script that asks.</summary>
    private static bool IsPage(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) && !request.Path.StartsWithSegments("/api")
        && request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);
}
