using System.Net;
using System.Net.Http.Json;
using Cluster.Client;
using Cluster.Contracts;
using Cluster.Contracts.Api;
using Cluster.Dashboard;
using Cluster.Dashboard.Access;
using Cluster.Tests.Data;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cluster.Tests.Api.Access;

public sealed class TokenTests
{
    private static readonly DateTimeOffset s_now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_token_is_known_by_a_hash_of_it_and_by_nothing_less()
    {
        var (token, record) = TokenRecord.Create("ci", Role.Submitter, s_now, s_now.AddDays(1));
        Assert.StartsWith($"cluster_{record.Id}_", token, StringComparison.Ordinal);
        Assert.Equal(record.Id, TokenRecord.IdOf(token));
        Assert.DoesNotContain(token[^64..], record.ToString(), StringComparison.Ordinal);
        Assert.True(record.Matches(token, s_now));
        Assert.False(record.Matches(token, s_now.AddDays(1)));
        Assert.False(record.Matches(token[..^1] + (token[^1] == '0' ? '1' : '0'), s_now));
        foreach (var wrong in (string[])["", "cluster_", token[..^1], token + "0", token.Replace("cluster_", "clustre_", StringComparison.Ordinal)]) { Assert.Null(TokenRecord.IdOf(wrong)); }
    }

    [Fact]
    public void The_file_is_for_its_owner_and_holds_no_token()
    {
        using var folder = new TemporaryFolder();
        var file = new TokenFile(Path.Combine(folder.Path, "new", "tokens.json"));
        Assert.Empty(file.Read().Tokens);
        var tokens = new[] { Role.Viewer, Role.Admin }.Select(role => file.Create("somebody", role, s_now, null)).ToArray();
        var text = File.ReadAllText(file.Path);
        Assert.All(tokens, made => Assert.DoesNotContain(made.Token[^64..], text, StringComparison.Ordinal));
        Assert.Equal(tokens.Select(t => t.Record), file.Read().Tokens);
        if (!OperatingSystem.IsWindows()) { Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file.Path)); }
        Assert.True(file.Revoke(tokens[0].Record.Id));
        Assert.False(file.Revoke(tokens[0].Record.Id));
        Assert.Equal(Role.Admin, Assert.Single(file.Read().Tokens).Role);
    }

    [Fact]
    public async Task Tokens_that_are_made_at_once_are_all_kept()
    {
        using var folder = new TemporaryFolder();
        var file = new TokenFile(Path.Combine(folder.Path, "tokens.json"));
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => file.Create($"{i}", Role.Viewer, s_now, null))));
        Assert.Equal(8, file.Read().Tokens.Select(t => t.Name).Distinct().Count());
    }

    [Theory]
    [InlineData("half a fi")]
    [InlineData("{}")]
    [InlineData("""{"tokens": [{"id": "a"}]}""")]
    [InlineData("""{"tokens": [{"id": "a", "name": "b", "role": "King", "sha256": "", "created": "2026-01-01T00:00:00Z"}]}""")]
    public void A_damaged_file_is_said_to_be_one_and_starts_nothing(string text)
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("tokens.json", text);
        Assert.Contains(path, Assert.Throws<BadInputException>(() => new TokenFile(path).Read()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_tokens_the_door_opens_to_this_machine_alone()
    {
        using var folder = new TemporaryFolder();
        var settings = new ApiSettings { Store = folder.Path, Gateway = "", AllowRemote = true };
        Assert.NotEmpty(settings.Addresses());
        Assert.Contains("Nobody is asked", settings.Guard, StringComparison.Ordinal);
        var open = settings with { Urls = "http://0.0.0.0:0" };
        Assert.Contains("cluster token create --role admin", Assert.Throws<BadInputException>(() => open.Addresses()).Message, StringComparison.Ordinal);
        Assert.Contains("which is not there", Assert.Throws<BadInputException>(() => (settings with { Tokens = Path.Combine(folder.Path, "other.json") }).Addresses()).Message, StringComparison.Ordinal);
        settings.TokenFile.Create("me", Role.Admin, s_now, null);
        Assert.NotEmpty(open.Addresses());
        Assert.Contains("need a token", open.Guard, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_first_token_shuts_an_open_door_and_a_revoked_one_opens_none()
    {
        await using var single = await OwnApi.StartAsync();
        var api = single.Api;
        Assert.True((await api.Client.SessionAsync(CancellationToken.None)).IsOpen);
        var file = new TokenFile(Path.Combine(api.Store, TokenFile.DefaultName));
        var (token, record) = file.Create("me", Role.Viewer, TimeProvider.System.GetUtcNow(), null);
        await UntilAsync(async () => (await api.Http.GetAsync("cluster")).StatusCode is HttpStatusCode.Unauthorized);

        using var client = new ClusterClient(api.Url, token);
        Assert.Equal(new SessionView("me", Role.Viewer, IsOpen: false), await client.SessionAsync(CancellationToken.None));
        File.WriteAllText(file.Path, "damaged"); // Whoever was known stays known.
        Assert.Equal("me", (await client.SessionAsync(CancellationToken.None)).Name);
        File.Delete(file.Path);
        await UntilAsync(async () => (await api.Http.GetAsync("cluster")).StatusCode is HttpStatusCode.Unauthorized
            && await Record.ExceptionAsync(() => client.SessionAsync(CancellationToken.None)) is BadInputException);
        Assert.NotEmpty(record.Id);
    }

    [Fact]
    public async Task Clients_from_a_factory_send_their_token_and_log_none()
    {
        var guarded = new GuardedApi();
        await guarded.InitializeAsync();
        try
        {
            var logs = new LogRecorder();
            var services = new ServiceCollection();
            services.AddSingleton<ILoggerProvider>(logs).AddLogging().Configure<LoggerFilterOptions>(options => options.MinLevel = LogLevel.Trace);
            services.AddClusterClient(options => (options.Url, options.Token) = (guarded.Api.Url, guarded.Tokens[Role.Viewer]));
            await using var provider = services.BuildServiceProvider();
            Assert.Equal(Role.Viewer, (await provider.GetRequiredService<ClusterClient>().SessionAsync(CancellationToken.None)).Role);
            Assert.NotEmpty(logs.Lines);
            Assert.DoesNotContain(logs.Lines, line => line.Contains(guarded.Tokens[Role.Viewer][^64..], StringComparison.Ordinal));
            Assert.Throws<BadInputException>(() => new ClusterClient(guarded.Api.Url, "two words\n"));
        }
        finally
        {
            await guarded.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_browser_logs_in_by_a_cookie_that_no_script_reads_and_out_again()
    {
        var guarded = new GuardedApi();
        await guarded.InitializeAsync();
        try
        {
            using var stranger = guarded.Http(Role.None);
            await TestApi.ProblemAsync(await stranger.PostAsJsonAsync("session", new { token = "cluster_guess" }), HttpStatusCode.Unauthorized);
            using var login = await stranger.PostAsJsonAsync("session", new { token = guarded.Tokens[Role.Submitter] });
            var cookie = Assert.Single(login.Headers.GetValues("Set-Cookie"));
            foreach (var part in (string[])["httponly", "samesite=strict", "path=/"]) { Assert.Contains(part, cookie, StringComparison.OrdinalIgnoreCase); }

            stranger.DefaultRequestHeaders.Add("Cookie", cookie.Split(';')[0]);
            Assert.Equal(HttpStatusCode.OK, (await stranger.GetAsync("jobs")).StatusCode);
            using var foreign = new HttpRequestMessage(HttpMethod.Post, "jobs/job/cancel") { Content = JsonContent.Create(new { }) };
            foreign.Headers.Add("Origin", "https://evil.example");
            guarded.Api.Cluster.Add("job");
            Assert.Contains("another site", (await TestApi.ProblemAsync(await stranger.SendAsync(foreign), HttpStatusCode.Forbidden)).Detail, StringComparison.Ordinal);
            using var own = new HttpRequestMessage(HttpMethod.Post, "jobs/job/cancel") { Content = JsonContent.Create(new { }) };
            own.Headers.Add("Origin", guarded.Api.Url.GetLeftPart(UriPartial.Authority));
            Assert.Equal(HttpStatusCode.OK, (await stranger.SendAsync(own)).StatusCode);
            Assert.Contains("max-age=0", string.Concat((await stranger.PostAsJsonAsync("session/end", new { })).Headers.GetValues("Set-Cookie")).Replace("expires=Thu, 01 Jan 1970 00:00:00 GMT", "max-age=0", StringComparison.OrdinalIgnoreCase), StringComparison.Ordinal);
        }
        finally
        {
            await guarded.DisposeAsync();
        }
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        var deadline = Deadline.Token();
        while (!await isSo()) { await Task.Delay(50, deadline); }
    }
}
