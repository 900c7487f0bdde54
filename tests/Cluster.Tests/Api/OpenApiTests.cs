using System.Net;
using System.Text.Json;
using Cluster.Dashboard.Access;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Cluster.Tests.Api;

/// <summary>The document says of the API what the API is.</summary>
public sealed class OpenApiTests(TestApi api) : IClassFixture<TestApi>
{
    [Fact]
    public async Task It_has_every_route_of_the_api_with_its_role_and_no_other()
    {
        var document = await DocumentAsync();
        var mapped = from endpoint in api.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
                     let path = endpoint.RoutePattern.RawText!
                     where path.StartsWith("/api/v1/", StringComparison.Ordinal) && path != "/api/v1/openapi.json"
                     from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods
                     select $"{method} {path} {endpoint.Metadata.GetOrderedMetadata<NeededRole>().Max(n => n.Role)}";
        var described = Operations(document).Select(o => $"{o.Method.ToUpperInvariant()} {o.Path} {o.Operation.GetProperty("x-role").GetString()}");
        Assert.Equal(mapped.Order(), described.Order());
    }

    [Fact]
    public async Task Every_operation_says_what_it_does_answers_and_refuses_and_every_change_what_it_takes()
    {
        var document = await DocumentAsync();
        string[] takeNothing = ["/api/v1/shutdown", "/api/v1/session/end", "/api/v1/jobs/{id}/resume", "/api/v1/workers/{id}/drain", "/api/v1/workers/{id}/undrain"];
        foreach (var (path, method, operation) in Operations(document))
        {
            var name = $"{method} {path}";
            Assert.True(operation.TryGetProperty("summary", out var summary) && summary.GetString() is { Length: > 5 }, name);
            Assert.True(operation.TryGetProperty("operationId", out _), $"{name} has no name: a generated client would make one up");
            var responses = operation.GetProperty("responses").EnumerateObject().ToDictionary(r => r.Name, r => r.Value);
            var good = responses.Single(r => r.Key[0] == '2');
            Assert.True(good.Value.TryGetProperty("content", out _) || good.Key is "204" || path == "/api/v1/shutdown", $"{name} does not say what it answers");
            Assert.Equal("#/components/schemas/ApiProblem", responses["400"].GetProperty("content").GetProperty("application/problem+json").GetProperty("schema").GetProperty("$ref").GetString());
            if (method is "post" or "put") { Assert.True(operation.TryGetProperty("requestBody", out _) != takeNothing.Contains(path), $"{name} must say what it takes"); }
        }
    }

    [Fact]
    public async Task Every_shape_that_it_refers_to_is_there_and_speaks_of_the_json_that_is_sent()
    {
        var document = await DocumentAsync();
        var shapes = document.GetProperty("components").GetProperty("schemas");
        foreach (var reference in References(document)) { Assert.True(shapes.TryGetProperty(reference.Split('/')[^1], out _), reference); }

        // Of one answer, key by key: what is sent is what is said.
        api.Cluster.Add("described").Reach(3);
        using var sent = JsonDocument.Parse(await api.Http.GetStringAsync("jobs/described"));
        var said = shapes.GetProperty("JobView").GetProperty("properties").EnumerateObject().Select(p => p.Name);
        Assert.Equal(sent.RootElement.EnumerateObject().Select(p => p.Name).Order(), said.Order());
        var states = shapes.GetProperty("JobState").GetProperty("enum").EnumerateArray().Select(v => v.GetString());
        Assert.Contains("Running", states);
    }

    private async Task<JsonElement> DocumentAsync()
    {
        using var response = await api.Http.GetAsync("openapi.json");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
    }

    private static IEnumerable<(string Path, string Method, JsonElement Operation)> Operations(JsonElement document) =>
        from path in document.GetProperty("paths").EnumerateObject()
        from operation in path.Value.EnumerateObject()
        select (path.Name, operation.Name, operation.Value);

    private static IEnumerable<string> References(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(p => p.Name == "$ref" ? [p.Value.GetString()!] : References(p.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(References),
        _ => [],
    };
}
