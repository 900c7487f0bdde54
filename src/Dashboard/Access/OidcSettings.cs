using Cluster.Contracts;
using Cluster.Contracts.Api;

namespace Cluster.Dashboard.Access;

/// <summary>Who else says who people are: an OpenID Connect provider whose access tokens (JWT) are taken beside our own.</summary>
/// <param name="Authority">Its address; its metadata lie at <c>/.well-known/openid-configuration</c> below.</param>
/// <param name="Audience">What its tokens must be made for.</param>
/// <param name="RoleClaim">The claim that names roles.</param>
public sealed record OidcSettings(Uri Authority, string Audience, string RoleClaim = "roles")
{
    /// <summary>What the claim says for each role.</summary>
    public static string ValueOf(Role role) => $"cluster-{role.ToString().ToLowerInvariant()}";

    /// <summary>Null where no provider is set.</summary>
    /// <exception cref="BadInputException">A value is not what the key takes.</exception>
    public static OidcSettings? From(IConfiguration section)
    {
        if (section["Authority"] is not { Length: > 0 } text)
        {
            return section.GetChildren().Any() ? throw new BadInputException("Cluster:Oidc:Authority is missing: the address of the provider is needed with the other keys of Cluster:Oidc") : null;
        }

        if (!Uri.TryCreate(text, UriKind.Absolute, out var authority) || (authority.Scheme != Uri.UriSchemeHttps && !authority.IsLoopback))
        {
            throw new BadInputException($"Cluster:Oidc:Authority is '{text}': an address with https is needed");
        }

        return new(
            authority,
            section["Audience"] is { Length: > 0 } audience ? audience : throw new BadInputException("Cluster:Oidc:Audience is missing: without it, tokens that the provider made for others would be good here"),
            section["RoleClaim"] is { Length: > 0 } claim ? claim : "roles");
    }
}
