using System.Net;
using System.Security.Cryptography;
using System.Text;
using Cluster.Contracts;
using Cluster.Contracts.Api;
using Cluster.Dashboard.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Cluster.Tests.Api.Access;

/// <summary>Access tokens of a provider, from a real one on loopback that the test holds the key of.</summary>
public sealed class OidcTests : IAsyncLifetime
{
    private const string Audience = "cluster-api";

    private readonly RSA _rsa = RSA.Create(2048);
    private WebApplication _provider = null!;
    private TestApi _api = null!;

    private string Issuer => _provider.Urls.First();

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _provider = builder.Build();
        var key = JsonWebKeyConverter.ConvertFromRSASecurityKey(new RsaSecurityKey(_rsa.ExportParameters(false)) { KeyId = "k" });
        _provider.MapGet("/.well-known/openid-configuration", (RequestDelegate)(context => context.Response.WriteAsync($$"""{"issuer": "{{Issuer}}", "jwks_uri": "{{Issuer}}/keys"}""")));
        _provider.MapGet("/keys", (RequestDelegate)(context => context.Response.WriteAsync($$"""{"keys": [{"kty": "RSA", "use": "sig", "kid": "k", "n": "{{key.N}}", "e": "{{key.E}}"}]}""")));
        await _provider.StartAsync();
        _api = new TestApi { Change = settings => settings with { Oidc = new OidcSettings(new Uri(Issuer), Audience) } };
        await _api.InitializeAsync();
        _api.Cluster.Add("job");
    }

    public async Task DisposeAsync()
    {
        await _api.DisposeAsync();
        await _provider.DisposeAsync();
        _rsa.Dispose();
    }

    [Theory]
    [InlineData("cluster-viewer", HttpStatusCode.OK, HttpStatusCode.Forbidden)]
    [InlineData("cluster-submitter", HttpStatusCode.OK, HttpStatusCode.OK)]
    [InlineData("cluster-admin", HttpStatusCode.OK, HttpStatusCode.OK)]
    [InlineData("something-else", HttpStatusCode.Forbidden, HttpStatusCode.Forbidden)]
    public async Task The_providers_roles_are_ours(string role, HttpStatusCode reads, HttpStatusCode changes)
    {
        var token = Token(role);
        Assert.Equal((reads, changes), (await AskAsync(token, "jobs"), await AskAsync(token, "jobs/job/pause", isPost: true)));
    }

    [Fact]
    public async Task A_token_that_is_not_for_us_old_forged_or_unsigned_is_nobodys()
    {
        using var other = RSA.Create(2048);
        string[] wrong =
        [
            Token("cluster-admin", audience: "another-api"), Token("cluster-admin", issuer: "http://127.0.0.1:1"), Token("cluster-admin", minutes: -30), Token("cluster-admin", key: other),
            $"{Base64UrlEncoder.Encode("""{"alg":"none"}""")}.{Base64UrlEncoder.Encode($$"""{"iss":"{{Issuer}}","aud":"{{Audience}}","roles":["cluster-admin"],"exp":4000000000}""")}.",
            "a.b.c", "cluster_guess", "",
        ];
        foreach (var token in wrong) { Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(token, "jobs")); }
    }

    [Fact]
    public async Task Tokens_of_our_own_are_good_beside_it()
    {
        var file = new TokenFile(Path.Combine(_api.Store, TokenFile.DefaultName));
        var token = file.Create("me", Role.Viewer, TimeProvider.System.GetUtcNow(), null).Token;
        var deadline = Deadline.Token();
        while (await AskAsync(token, "jobs") is not HttpStatusCode.OK) { await Task.Delay(50, deadline); }
    }

    [Theory]
    [InlineData("Authority", "http://login.example", "https is needed")]
    [InlineData("Authority", "login", "https is needed")]
    [InlineData("Audience", "cluster", "Authority is missing")]
    public void A_provider_that_could_be_anybody_is_refused(string key, string value, string words)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new(key, value)]).Build();
        Assert.Contains(words, Assert.Throws<BadInputException>(() => OidcSettings.From(configuration)).Message, StringComparison.Ordinal);
    }

    private string Token(string role, string? audience = null, string? issuer = null, int minutes = 30, RSA? key = null) => new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
    {
        Issuer = issuer ?? Issuer,
        Audience = audience ?? Audience,
        Claims = new Dictionary<string, object> { ["sub"] = "ada", ["name"] = "Ada", ["roles"] = new[] { role } },
        NotBefore = TimeProvider.System.GetUtcNow().AddHours(-1).UtcDateTime,
        IssuedAt = TimeProvider.System.GetUtcNow().AddHours(-1).UtcDateTime,
        Expires = TimeProvider.System.GetUtcNow().AddMinutes(minutes).UtcDateTime,
        SigningCredentials = new(new RsaSecurityKey(key ?? _rsa) { KeyId = "k" }, SecurityAlgorithms.RsaSha256),
    });

    private async Task<HttpStatusCode> AskAsync(string token, string path, bool isPost = false)
    {
        using var request = new HttpRequestMessage(isPost ? HttpMethod.Post : HttpMethod.Get, path);
        if (isPost) { request.Content = new StringContent("{}", Encoding.UTF8, "application/json"); }
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        using var response = await _api.Http.SendAsync(request);
        return response.StatusCode;
    }
}
