using System.Net;
using System.Text;
using Cluster.Contracts.Api;
using Cluster.Dashboard;
using Cluster.Dashboard.Access;

namespace Cluster.Tests.Api.Access;

/// <summary>Headers, limits, and what is written down.</summary>
public sealed class GuardTests : IAsyncLifetime
{
    private readonly GuardedApi _guarded = new();

    public Task InitializeAsync() => _guarded.InitializeAsync();

    public Task DisposeAsync() => _guarded.DisposeAsync();

    [Fact]
    public async Task Every_answer_tells_browsers_what_they_may_not_do()
    {
        using var http = _guarded.Http(Role.Viewer);
        foreach (var path in (string[])["jobs", "nothing", "/health/live", "/"])
        {
            using var response = await http.GetAsync(path);
            Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self'", Assert.Single(response.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
            Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
            Assert.Equal("DENY", Assert.Single(response.Headers.GetValues("X-Frame-Options")));
            Assert.Equal("same-origin", Assert.Single(response.Headers.GetValues("Cross-Origin-Resource-Policy")));
            Assert.False(response.Headers.Contains("Server"));
            Assert.False(response.Headers.Contains("Access-Control-Allow-Origin"));
        }
    }

    [Fact]
    public async Task Each_change_is_one_line_that_says_who_when_what_and_with_which_outcome()
    {
        _guarded.Api.Cluster.Add("job");
        using var submitter = _guarded.Http(Role.Submitter);
        using var viewer = _guarded.Http(Role.Viewer);
        await PostAsync(submitter, "jobs/job/pause", "{}");
        await PostAsync(viewer, "jobs/job/cancel", "{}");
        await PostAsync(submitter, "jobs/wor%0Ald/cancel", "{}");
        using var submitted = await PostAsync(submitter, "jobs", System.Text.Json.JsonSerializer.Serialize(new { spec = TestApi.Spec }));
        await viewer.GetAsync("jobs");
        using var uploaded = await submitter.PutAsync("files/net.pt", new ByteArrayContent([1]));
        await viewer.DeleteAsync("files/net.pt");
        await viewer.GetAsync("files/net.pt");

        var lines = _guarded.Logs.Of(AuditLog.Category).ToArray();
        Assert.Equal(6, lines.Length);
        var id = _guarded.File.Read().Tokens.Single(t => t.Role is Role.Submitter).Id;
        Assert.Matches($@"\d{{4}}-\d\d-\d\dT.* a Submitter \({id}, Submitter\) at 127\.0\.0\.1: POST /api/v1/jobs/job/pause: 200", lines[0]);
        Assert.Contains("a Viewer", lines[1], StringComparison.Ordinal);
        Assert.Contains("cancel: refused with 403", lines[1], StringComparison.Ordinal);
        Assert.Contains("/jobs/wor%0Ald/cancel: refused with 400", lines[2], StringComparison.Ordinal);
        Assert.EndsWith($"POST /api/v1/jobs: 201 {submitted.Headers.Location}", lines[3].TrimEnd(), StringComparison.Ordinal);
        Assert.Contains("a Submitter", lines[4], StringComparison.Ordinal);
        Assert.EndsWith("PUT /api/v1/files/net.pt: 200", lines[4].TrimEnd(), StringComparison.Ordinal);
        Assert.EndsWith("DELETE /api/v1/files/net.pt: refused with 403", lines[5].TrimEnd(), StringComparison.Ordinal);
        Assert.All(lines, line => Assert.DoesNotContain('\n', line));
    }

    [Fact]
    public async Task No_token_is_ever_logged_good_or_bad_wherever_it_stood()
    {
        var guess = $"cluster_0123456789_{new string('e', 64)}";
        foreach (var token in _guarded.Tokens.Values.Append(guess))
        {
            using var http = _guarded.Http(token);
            await http.GetAsync("jobs");
            await http.GetAsync("nothing");
            await PostAsync(http, "shutdown", "{}");
            _guarded.Api.Cluster.Outage = new InvalidOperationException("a fault of ours");
            await http.GetAsync("pool");
            _guarded.Api.Cluster.Outage = null;
            using var cookie = _guarded.Http(Role.None);
            cookie.DefaultRequestHeaders.Add("Cookie", $"{TokenAuthentication.Cookie}={token}");
            await cookie.GetAsync("jobs");
            await PostAsync(cookie, "session", $$"""{"token": "{{token}}"}""");
            await PostAsync(cookie, "session", $$"""{"token": "{{token}}", "more": 1}""");
        }

        Assert.InRange(_guarded.Logs.Lines.Count, 100, int.MaxValue);
        Assert.DoesNotContain(_guarded.Logs.Lines, line => _guarded.Tokens.Values.Append(guess).Any(token => line.Contains(token[^64..], StringComparison.Ordinal)));
        Assert.DoesNotContain(_guarded.Logs.Lines, line => line.Contains(TestApi.Secret, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Whoever_asks_too_often_waits_and_others_do_not()
    {
        var slow = new TestApi { Change = settings => settings with { RequestsPerSecond = 3, StrangersPerSecond = 1, StreamsPerCaller = 2 } };
        var file = new TokenFile(Path.Combine(slow.Store, TokenFile.DefaultName));
        var tokens = new[] { "a", "b" }.Select(name => file.Create(name, Role.Viewer, TimeProvider.System.GetUtcNow(), null).Token).ToArray();
        await slow.InitializeAsync();
        try
        {
            var (first, second) = (Client(tokens[0]), Client(tokens[1]));
            HttpResponseMessage refused;
            while ((refused = await first.GetAsync("cluster", Deadline.Token())).IsSuccessStatusCode) { }
            Assert.Contains("ask again in", (await TestApi.ProblemAsync(refused, HttpStatusCode.TooManyRequests)).Detail, StringComparison.Ordinal);
            Assert.True(refused.Headers.RetryAfter!.Delta > TimeSpan.Zero);

            slow.Cluster.Add("job");
            using var stream1 = await second.GetAsync("jobs/job/events", HttpCompletionOption.ResponseHeadersRead);
            using var stream2 = await second.GetAsync("jobs/job/events", HttpCompletionOption.ResponseHeadersRead);
            Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (stream1.StatusCode, stream2.StatusCode));
            await TestApi.ProblemAsync(await second.GetAsync("jobs/job/events"), HttpStatusCode.TooManyRequests);
            Assert.Equal(HttpStatusCode.OK, (await second.GetAsync("jobs/job")).StatusCode);

            var stranger = Client(null);
            while ((refused = await stranger.GetAsync("/login", Deadline.Token())).IsSuccessStatusCode) { }
            Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
            Assert.Equal(HttpStatusCode.OK, (await stranger.GetAsync("/health/live")).StatusCode);
        }
        finally
        {
            await slow.DisposeAsync();
        }

        HttpClient Client(string? token)
        {
            var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri(slow.Url, "/api/v1/") };
            if (token is not null) { http.DefaultRequestHeaders.Authorization = new("Bearer", token); }
            return http;
        }
    }

    private static Task<HttpResponseMessage> PostAsync(HttpClient http, string path, string json) =>
        http.PostAsync(path, new StringContent(json, Encoding.UTF8, "application/json"));
}
