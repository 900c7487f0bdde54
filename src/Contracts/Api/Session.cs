using System.Text.Json.Serialization;

namespace Cluster.Contracts.Api;

/// <summary>Body of <c>POST /api/v1/session</c>: a browser logs in. The answer sets a cookie that scripts cannot read.</summary>
/// <param name="Token">As <c>cluster token create</c> printed it.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record SessionRequest(string Token)
{
    public override string ToString() => nameof(SessionRequest); // Without the token.
}

/// <summary>Answer of <c>GET</c> and <c>POST /api/v1/session</c>: who the cluster takes the caller for.</summary>
/// <param name="IsOpen">Nobody has to say who they are: the API listens on loopback alone, and there are no tokens.</param>
public sealed record SessionView(string Name, Role Role, bool IsOpen);
