using System.Net;
using System.Text;
using Cluster.Contracts.Api;
using Cluster.Dashboard.Access;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Cluster.Tests.Api.Access;

/// <summary>Every endpoint that the API maps, asked by every role.</summary>
public sealed class RoleTests(GuardedApi guarded) : IClassFixture<GuardedApi>
{
    /// <summary>What strangers get; whoever adds to it sees it here.</summary>
    private static readonly string[] s_forStrangers =
    [
        "GET /health/live", "GET /health/startup", "GET /health/ready", "POST /api/v1/session", "POST /api/v1/session/end", "GET /login", "GET /login.js", "GET /style.css", "GET /icon.svg",
    ];

    [Fact]
    public async Task Each_role_may_what_its_routes_say_and_no_more()
    {
        guarded.Api.Cluster.Add("job");
        var wrong = new List<string>();
        var asked = 0;
        foreach (var (method, path, needed) in Endpoints())
        {
            foreach (var role in Enum.GetValues<Role>())
            {
                asked++;
                var status = await AskAsync(role, method, path);
                var isRefused = status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden;
                var expected = role >= needed ? "lets in" : role is Role.None ? "does not know" : "forbids";
                // Ending the cluster needs a secret beside the role.
                var isAsExpected = path == "/api/v1/shutdown" && role >= needed ? status is HttpStatusCode.Forbidden
                    // A log-in is open to all, and refuses what is no token.
                    : path == "/api/v1/session" && method == "POST" ? status is HttpStatusCode.BadRequest
                    : expected switch { "lets in" => !isRefused, "does not know" => status is HttpStatusCode.Unauthorized, _ => status is HttpStatusCode.Forbidden };
                if (!isAsExpected || (int)status >= 500) { wrong.Add($"{method} {path} ({needed}) answers {(int)status} to {role}; it should be that it {expected}"); }
            }
        }

        Assert.Empty(wrong);
        Assert.InRange(asked, 4 * 25, 4 * 200);
    }

    [Fact]
    public void Every_endpoint_says_which_role_it_needs_and_strangers_get_these_alone()
    {
        var endpoints = RouteEndpoints().ToArray();
        Assert.All(endpoints, endpoint => Assert.True(endpoint.Metadata.GetOrderedMetadata<NeededRole>().Count > 0, $"{endpoint.RoutePattern.RawText} names no role"));
        Assert.Equal(s_forStrangers.Order(), Endpoints().Where(e => e.Needed is Role.None).Select(e => $"{e.Method} {e.Path}").Order());
    }

    [Fact]
    public async Task What_changes_something_is_for_submitters_or_admins_and_admins_alone_move_workers()
    {
        await Task.CompletedTask;
        foreach (var (method, path, needed) in Endpoints().Where(e => e.Method != "GET" && e.Needed is not Role.None))
        {
            var expected = path.StartsWith("/api/v1/workers/", StringComparison.Ordinal) || path == "/api/v1/shutdown" ? Role.Admin
                : path == "/api/v1/validate" ? Role.Viewer
                : Role.Submitter;
            Assert.True(expected == needed, $"{method} {path} needs {needed}");
        }
    }

    [Fact]
    public async Task A_stranger_learns_nothing_of_what_is_there()
    {
        using var http = guarded.Http(Role.None);
        foreach (var path in (string[])["jobs/job", "jobs/nobody", "nothing", "/", "/jobs/job", "/nothing", "/app.js"])
        {
            var problem = await TestApi.ProblemAsync(await http.GetAsync(path), HttpStatusCode.Unauthorized);
            Assert.Contains("needs a token", problem.Detail, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_browser_of_a_stranger_is_sent_to_the_log_in_page()
    {
        using var http = guarded.Http(Role.None);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/jobs/some-job");
        request.Headers.Accept.ParseAdd("text/html,application/xhtml+xml");
        var response = await http.SendAsync(request);
        Assert.Equal((HttpStatusCode.Redirect, "/login?from=%2Fjobs%2Fsome-job"), (response.StatusCode, response.Headers.Location!.OriginalString));
    }

    private async Task<HttpStatusCode> AskAsync(Role role, string method, string path)
    {
        using var http = guarded.Http(role);
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        // Nothing that is granted does anything: no body here is one that a route takes.
        if (method == "POST") { request.Content = new StringContent("[]", Encoding.UTF8, "application/json"); }
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, deadline.Token);
        return response.StatusCode;
    }

    private IEnumerable<RouteEndpoint> RouteEndpoints() => guarded.Api.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>();

    private IEnumerable<(string Method, string Path, Role Needed)> Endpoints() =>
        from endpoint in RouteEndpoints()
        from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"]
        let path = '/' + string.Join('/', endpoint.RoutePattern.PathSegments.Select(segment => string.Concat(segment.Parts.Select(Text))))
        select (method, path, endpoint.Metadata.GetOrderedMetadata<NeededRole>().Max(n => n.Role));

    private static string Text(Microsoft.AspNetCore.Routing.Patterns.RoutePatternPart part) => part switch
    {
        Microsoft.AspNetCore.Routing.Patterns.RoutePatternLiteralPart literal => literal.Content,
        Microsoft.AspNetCore.Routing.Patterns.RoutePatternParameterPart { Name: "id" } => "job",
        Microsoft.AspNetCore.Routing.Patterns.RoutePatternParameterPart { Name: "round" } => "1",
        _ => "model.safetensors",
    };
}
