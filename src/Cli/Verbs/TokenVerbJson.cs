using System.Text.Json.Serialization;
using Cluster.Dashboard.Access;

namespace Cluster.Cli.Verbs;

/// <param name="Token">The only time that it is shown.</param>
/// <param name="Record">What the file keeps: where the file is a mounted secret, this is to be added to it.</param>
internal sealed record CreatedToken(string Token, TokenRecord Record);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(CreatedToken))]
[JsonSerializable(typeof(TokenList))]
internal sealed partial class TokenVerbJson : JsonSerializerContext;
