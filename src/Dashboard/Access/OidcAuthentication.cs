using Cluster.Contracts.Api;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;

namespace Cluster.Dashboard.Access;

/// <summary>
/// Access tokens of an OpenID Connect provider: a bearer token that does not look like one of ours is given to it. Refusals are
/// those of <see cref="TokenAuthentication"/> either way.
/// </summary>
internal static class OidcAuthentication
{
    private const string Either = "Either";

    public static IServiceCollection AddCallers(this IServiceCollection services, OidcSettings? settings)
    {
        var builder = services.AddAuthentication(settings is null ? TokenAuthentication.Scheme : Either)
            .AddScheme<AuthenticationSchemeOptions, TokenAuthentication>(TokenAuthentication.Scheme, null);
        if (settings is null) { return services; }
        builder
            .AddPolicyScheme(Either, null, options =>
            {
                options.ForwardDefaultSelector = context => IsOurs(TokenAuthentication.BearerOf(context.Request)) ? TokenAuthentication.Scheme : JwtBearerDefaults.AuthenticationScheme;
                options.ForwardChallenge = options.ForwardForbid = TokenAuthentication.Scheme;
            })
            .AddJwtBearer(options =>
            {
                options.Authority = settings.Authority.ToString();
                options.Audience = settings.Audience;
                options.RequireHttpsMetadata = !settings.Authority.IsLoopback;
                options.MapInboundClaims = false;
                options.Events = new JwtBearerEvents { OnTokenValidated = context => Task.FromResult(context.Principal = PrincipalOf(context, settings)) };
            });
        return services;
    }

    /// <summary>Without one of the roles in its claim, a good token is nobody's here: it may do nothing.</summary>
    private static System.Security.Claims.ClaimsPrincipal PrincipalOf(TokenValidatedContext context, OidcSettings settings)
    {
        var said = context.Principal!.FindAll(settings.RoleClaim).Select(claim => claim.Value).ToHashSet(StringComparer.Ordinal);
        var role = Enum.GetValues<Role>().LastOrDefault(role => role is not Role.None && said.Contains(OidcSettings.ValueOf(role)));
        var subject = context.Principal.FindFirst("sub")?.Value ?? "unknown";
        return new Caller($"oidc:{subject}", context.Principal.FindFirst("name")?.Value ?? subject, role).Principal(JwtBearerDefaults.AuthenticationScheme);
    }

    /// <summary>So is a request without one: it may have a cookie.</summary>
    private static bool IsOurs(string? bearer) => bearer is null || !bearer.Contains('.');
}
