using Cluster.Contracts.Api;
using Microsoft.AspNetCore.Authorization;

namespace Cluster.Dashboard.Access;

/// <summary>The role that an endpoint asks for; <see cref="Role.None"/> lets strangers in.</summary>
internal sealed record NeededRole(Role Role);

/// <summary>Which endpoint needs which role. What says nothing needs a viewer, also what is not there: strangers cannot look for it.</summary>
internal static class AccessRules
{
    public static IServiceCollection AddAccess(this IServiceCollection services, ApiSettings settings)
    {
        services.AddSingleton<TokenRegistry>().AddSingleton<AuditLog>().AddCallers(settings.Oidc).AddRateRules(settings);
        var authorization = services.AddAuthorizationBuilder();
        foreach (var role in (Role[])[Role.Viewer, Role.Submitter, Role.Admin]) { authorization.AddPolicy(role.ToString(), Policy(role)); }
        authorization.SetFallbackPolicy(Policy(Role.Viewer));
        return services;
    }

    /// <summary>From the outside in: who it is, how often it asks, what is written down, and whether it may.</summary>
    public static void UseAccess(this IApplicationBuilder app) =>
        app.UseAuthentication().UseRateLimiter().UseMiddleware<AuditChanges>().UseAuthorization();

    /// <summary>Whoever has this role, or one above it, may.</summary>
    public static TBuilder For<TBuilder>(this TBuilder builder, Role role)
        where TBuilder : IEndpointConventionBuilder =>
        role is Role.None
            ? builder.AllowAnonymous().WithMetadata(new NeededRole(role))
            : builder.RequireAuthorization(role.ToString()).WithMetadata(new NeededRole(role));

    private static AuthorizationPolicy Policy(Role role) =>
        new AuthorizationPolicyBuilder().RequireAuthenticatedUser().RequireRole(role.ToString()).Build();
}
