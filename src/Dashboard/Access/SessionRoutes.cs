using Cluster.Contracts.Api;
using Cluster.Dashboard.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Cluster.Dashboard.Access;

/// <summary><c>/session</c>: who the caller is; logs a browser in and out. Nothing is kept here: the cookie is the session.</summary>
internal static class SessionRoutes
{
    private static readonly TimeSpan Life = TimeSpan.FromHours(12);

    public static void MapSession(this RouteGroupBuilder api)
    {
        api.MapGet("/session", Show).For(Role.Viewer)
            .Answers<SessionView>("ShowSession", "Who the caller is");
        api.MapPost("/session", LogInAsync).For(Role.None)
            .Takes<SessionRequest>().Answers<SessionView>("LogIn", "Logs a browser in: sets a cookie");
        api.MapPost("/session/end", LogOut).For(Role.None)
            .WithName("LogOut").WithSummary("Logs a browser out").Produces(204);
    }

    private static JsonHttpResult<SessionView> Show(HttpContext context, TokenRegistry tokens)
    {
        var caller = Callers.Of(context.User)!;
        return TypedResults.Json(new SessionView(caller.Name, caller.Role, tokens.IsOpen), ApiJson.Default.SessionView);
    }

    private static async Task<JsonHttpResult<SessionView>> LogInAsync(HttpContext context, TokenRegistry tokens, AuditLog audit, CancellationToken cancellationToken)
    {
        var request = await context.Request.ReadBodyAsync(ApiJson.Default.SessionRequest, cancellationToken);
        var caller = tokens.Unnamed() ?? tokens.Find(request.Token.Trim())
            ?? throw new ApiRefusal(StatusCodes.Status401Unauthorized, "Who are you?", "the token is not known here, was revoked, or has expired; 'cluster token create' makes another");
        if (!tokens.IsOpen) { context.Response.Cookies.Append(TokenAuthentication.Cookie, request.Token.Trim(), Cookie(context, Life)); }
        audit.LoggedIn(caller, context);
        return TypedResults.Json(new SessionView(caller.Name, caller.Role, tokens.IsOpen), ApiJson.Default.SessionView);
    }

    private static NoContent LogOut(HttpContext context)
    {
        context.Response.Cookies.Delete(TokenAuthentication.Cookie, Cookie(context, life: null));
        return TypedResults.NoContent();
    }

    private static CookieOptions Cookie(HttpContext context, TimeSpan? life) => new()
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Strict,
        Secure = context.Request.IsHttps,
        Path = "/",
        MaxAge = life,
        IsEssential = true,
    };
}
