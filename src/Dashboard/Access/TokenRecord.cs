using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using Cluster.Contracts.Api;

namespace Cluster.Dashboard.Access;

/// <summary>What is kept of a token: enough to recognise it, and not to make it.</summary>
/// <param name="Id">For people and for <c>revoke</c>; part of the token, and no secret.</param>
/// <param name="Name">Whose it is, in words.</param>
/// <param name="Sha256">
/// Of the token's text, 64 lower-case hex digits. A token has 256 random bits, so a plain hash tells nothing: slow hashes are for
/// passwords, which can be guessed.
/// </param>
/// <param name="Expires">From then on it is good for nothing; null for never.</param>
public sealed record TokenRecord(string Id, string Name, Role Role, string Sha256, DateTimeOffset Created, DateTimeOffset? Expires = null)
{
    /// <summary>Tokens are told from those of others by how they begin, also by scanners of published secrets.</summary>
    public const string Prefix = "cluster_";

    private const int IdBytes = 5;
    private const int SecretBytes = 32;

    /// <summary>A new token: its text, which is shown once, and what is kept.</summary>
    public static (string Token, TokenRecord Record) Create(string name, Role role, DateTimeOffset now, DateTimeOffset? expires)
    {
        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(IdBytes));
        var token = $"{Prefix}{id}_{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(SecretBytes))}";
        return (token, new(id, name, role, HashOf(token), now, expires));
    }

    /// <summary>The id within a token's text; null for a text that is none.</summary>
    public static string? IdOf(string token) =>
        token.Length == Prefix.Length + 2 * IdBytes + 1 + 2 * SecretBytes && token.StartsWith(Prefix, StringComparison.Ordinal)
            ? token.Substring(Prefix.Length, 2 * IdBytes)
            : null;

    public bool Matches(string token, DateTimeOffset now) =>
        CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Sha256), Encoding.ASCII.GetBytes(HashOf(token)))
        && !(Expires <= now);

    private static string HashOf(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
}

/// <summary>A file of tokens.</summary>
public sealed record TokenList(ImmutableArray<TokenRecord> Tokens);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, UseStringEnumConverter = true,
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(TokenList))]
[JsonSerializable(typeof(TokenRecord))]
internal sealed partial class TokenJson : JsonSerializerContext;
