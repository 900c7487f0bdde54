using System.Net;
using System.Text;
using System.Text.Json;
using Cluster.Client;
using Cluster.Contracts.Api;
using Cluster.Dashboard;
using Microsoft.Extensions.Logging;

namespace Cluster.Tests.Api;

/// <summary>The API on a free loopback port, over fake grains and a store of its own.</summary>
public sealed class TestApi : IAsyncLifetime
{
    public const string Secret = "a secret of the test";

    public const string Spec = """
        name: digits
        method: lamb
        model: {kind: mlp, hidden: [16]}
        data: {kind: digits}
        batch: 64
        leaf: 32
        epochs: 1
        schedule: {lr: 0.01}
        workers: {min: 2, max: 5}
        """;

    private ApiHost _host = null!;

    /// <summary>Where logs go beside standard error; null for nowhere.</summary>
    public Action<ILoggingBuilder>? Logs { get; set; }

    /// <summary>Settings of a test.</summary>
    public Func<ApiSettings, ApiSettings> Change { get; init; } = settings => settings;

    public IServiceProvider Services => _host.Services;

    public FakeCluster Cluster { get; } = new();

    public string Store { get; } = Directory.CreateTempSubdirectory("cluster-api-").FullName;

    public Uri Url => _host.Url;

    /// <summary>Raw requests, for what the SDK would never send.</summary>
    public HttpClient Http { get; private set; } = null!;

    public ClusterClient Client { get; private set; } = null!;

    public CancellationToken ShutdownRequested => _host.ShutdownRequested;

    public async Task InitializeAsync()
    {
        await StartAsync(port: 0);
        Http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri(Url, "/api/v1/") };
        Client = new ClusterClient(Url);
    }

    /// <summary>Ends the server and starts another one on the same port.</summary>
    public async Task RestartAsync()
    {
        var port = Url.Port;
        await _host.DisposeAsync();
        await StartAsync(port);
    }

    public async Task DisposeAsync()
    {
        Client.Dispose();
        Http.Dispose();
        await _host.DisposeAsync();
        Directory.Delete(Store, recursive: true);
    }

    /// <summary>Writes a file of a job's folder.</summary>
    public string Write(string jobId, string name, string text)
    {
        var path = Path.Combine(Store, "jobs", jobId, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    public async Task<HttpResponseMessage> PostAsync(string path, string json, string contentType = "application/json")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(json, Encoding.UTF8) };
        request.Content.Headers.ContentType = new(contentType);
        request.Headers.ExpectContinue = true; // As the SDK does: a refused body is not sent.
        return await Http.SendAsync(request);
    }

    /// <summary>The problem that an answer says it is, after checking that it is one: of this status, in words, without a trace.</summary>
    public static async Task<ApiProblem> ProblemAsync(HttpResponseMessage response, HttpStatusCode status)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(status == response.StatusCode, $"{response.StatusCode}: {text}");
        Assert.Equal(ApiProblem.ContentType, response.Content.Headers.ContentType?.MediaType);
        Assert.DoesNotContain("   at ", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", text, StringComparison.Ordinal);
        Assert.DoesNotContain("System.", text, StringComparison.Ordinal);
        var problem = JsonSerializer.Deserialize(text, ApiJson.Default.ApiProblem)!;
        Assert.Equal((int)status, problem.Status);
        Assert.NotEmpty(problem.Title);
        Assert.NotEmpty(problem.Detail);
        return problem;
    }

    private async Task StartAsync(int port) => _host = await ApiHost.StartAsync(
        Change(new ApiSettings { Urls = $"http://127.0.0.1:{port}", Store = Store, DataRoots = ["/data/of/the/cluster"], Gateway = "127.0.0.1:30000", ShutdownSecret = Secret, RequestsPerSecond = 100_000, StrangersPerSecond = 100_000 }),
        Cluster.Grains, Logs, CancellationToken.None);
}

/// <summary>One for a single test.</summary>
internal sealed class OwnApi : IAsyncDisposable
{
    public TestApi Api { get; } = new();

    public static async Task<OwnApi> StartAsync()
    {
        var own = new OwnApi();
        await own.Api.InitializeAsync();
        return own;
    }

    public async ValueTask DisposeAsync() => await Api.DisposeAsync();
}

/// <summary>Far above what any of these tests takes; reached only when something hangs.</summary>
internal static class Deadline
{
    public static CancellationToken Token() => new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token;
}
