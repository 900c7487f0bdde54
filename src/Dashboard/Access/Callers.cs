using System.Security.Claims;
using Cluster.Contracts.Api;

namespace Cluster.Dashboard.Access;

/// <summary>A <see cref="Caller"/> as ASP.NET carries it, and back.</summary>
internal static class Callers
{
    public static ClaimsPrincipal Principal(this Caller caller, string scheme)
    {
        var roles = Enum.GetValues<Role>().Where(role => role is not Role.None && role <= caller.Role);
        return new(new ClaimsIdentity(
            [
                new(ClaimTypes.NameIdentifier, caller.Id), new(ClaimTypes.Name, caller.Name),
                .. roles.Select(role => new Claim(ClaimTypes.Role, role.ToString())),
            ],
            scheme, ClaimTypes.Name, ClaimTypes.Role));
    }

    /// <summary>Null for a stranger.</summary>
    public static Caller? Of(ClaimsPrincipal principal)
    {
        if (principal.Identity is not { IsAuthenticated: true }) { return null; }
        var role = Enum.GetValues<Role>().LastOrDefault(role => principal.IsInRole(role.ToString()));
        return new(principal.FindFirstValue(ClaimTypes.NameIdentifier) ?? "unknown", principal.Identity.Name ?? "unknown", role);
    }
}
