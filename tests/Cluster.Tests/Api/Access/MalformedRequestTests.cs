using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Cluster.Contracts.Api;
using Xunit.Abstractions;

namespace Cluster.Tests.Api.Access;

/// <summary>Requests that no honest client sends, by the hundred, from a seed: each is refused, and the server goes on.</summary>
public sealed class MalformedRequestTests(GuardedApi guarded, ITestOutputHelper output) : IClassFixture<GuardedApi>
{
    private static readonly string[] s_paths =
    [
        "/api/v1/jobs", "/api/v1/jobs/job", "/api/v1/jobs/job/cancel", "/api/v1/jobs/job/logs", "/api/v1/jobs/job/events", "/api/v1/jobs/job/append", "/api/v1/jobs/job/metrics",
        "/api/v1/jobs/job/checkpoints/1/model.safetensors", "/api/v1/workers/w/drain", "/api/v1/validate", "/api/v1/files", "/api/v1/files/..", "/api/v1/session", "/api/v1/shutdown", "/", "/app.js", "/login", "/nothing",
    ];

    private static readonly string[] s_traps =
    [
        "..%2f..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/tokens.json", "..\\..\\tokens.json", "%00", "%0d%0aSet-Cookie:%20a=b", "%c0%ae%c0%ae", "job%2f..%2f..", "<script>alert(1)</script>",
        "a".PadRight(4000, 'a'), "%", "%zz", "job;drop", "~root", "CON", "tokens.json", ".git%2fconfig", "%u002e%u002e",
    ];

    private static readonly string[] s_bodies =
    [
        "", "{", "[]", "null", "\"text\"", "{\"spec\": 1}", "{\"spec\": null}", "{\"spec\": \"a: b\", \"extra\": true}", "{\"spec\": \"&a [*a]\"}", "\u0000\u0001", "{\"token\": {}}",
        "{\"spec\": \"x: {y: [\"}", "{\"reason\": 5}", "{\"stage\": 1}", "{\"spec\":\"name: x\",\"spec\":\"name: y\"}", "9e999", "{\"workers\": 99999999999999999999}",
    ];

    [Fact]
    public async Task Hundreds_of_malformed_requests_are_refused_and_the_server_lives()
    {
        const int Seed = 20260101;
        var random = new Random(Seed);
        guarded.Api.Cluster.Add("job");
        var wrong = new List<string>();
        for (var i = 0; i < 500; i++)
        {
            var (text, isCut) = Request(random, i);
            var status = await SendAsync(text, isCut);
            // A cut request has no answer; what is sent whole is refused, in 4xx words.
            if (status is { } code ? code is < 400 or >= 500 : !isCut) { wrong.Add($"request {i} of seed {Seed} answers {status?.ToString(CultureInfo.InvariantCulture) ?? "nothing"}: {text[..Math.Min(300, text.Length)]}"); }
        }

        foreach (var line in wrong) { output.WriteLine(line); }
        Assert.Empty(wrong);
        Assert.Empty(guarded.Api.Cluster.Job("job").Orders);
        var uploads = new DirectoryInfo(Path.Combine(guarded.Api.Store, "uploads"));
        using (var period = new PeriodicTimer(TimeSpan.FromMilliseconds(10)))
        {
            // The last one that was cut may still be on its way out.
            var deadline = Deadline.Token();
            while (uploads.Exists && uploads.EnumerateFileSystemInfos().Any()) { await period.WaitForNextTickAsync(deadline); }
        }

        Assert.DoesNotContain(guarded.Logs.Lines, line => line.Contains(" failed System.", StringComparison.Ordinal));
        using var http = guarded.Http(Role.Viewer);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("jobs")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("/health/live")).StatusCode);
    }

    /// <summary>One that is wrong in at least one way, by a caller who may do everything, so that it comes as far as it can.</summary>
    private (string Text, bool IsCut) Request(Random random, int number)
    {
        var path = s_paths[random.Next(s_paths.Length)];
        var trap = s_traps[random.Next(s_traps.Length)].Replace(' ', '+');
        var body = s_bodies[random.Next(s_bodies.Length)];
        var length = Encoding.UTF8.GetByteCount(body).ToString(CultureInfo.InvariantCulture);
        var token = guarded.Tokens[Role.Admin];
        const string Json = "Content-Type: application/json\r\n";
        return (number % 15) switch
        {
            0 => ($"GET /api/v1/jobs/{trap} HTTP/1.1\r\n{Head(token)}\r\n", false),
            1 => ($"GET /api/v1/jobs/job/checkpoints/{trap}/{trap} HTTP/1.1\r\n{Head(token)}\r\n", false),
            2 => ($"POST {(random.Next(2) == 0 ? "/api/v1/jobs" : "/api/v1/jobs/job/append")} HTTP/1.1\r\n{Head(token)}{Json}Content-Length: {length}\r\n\r\n{body}", false),
            3 => ($"{new[] { "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "GET\t", "G E T" }[random.Next(7)]} {path} HTTP/1.1\r\n{Head(token)}\r\n", false),
            4 => ($"POST {path} HTTP/1.1\r\n{Head(token)}Content-Type: text/plain\r\nContent-Length: {length}\r\n\r\n{body}", false),
            5 => ($"GET {path} HTTP/1.1\r\nHost: cluster.evil.example\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n", false),
            6 => ($"POST /api/v1/jobs HTTP/1.1\r\n{Head(token)}{Json}Content-Length: 99999999999\r\n\r\n", false),
            7 => ($"POST /api/v1/jobs HTTP/1.1\r\n{Head(token)}{Json}Content-Length: 5\r\nContent-Length: 7\r\n\r\n12345", false),
            8 => ($"POST {path} HTTP/1.1\r\n{Head(token)}{Json}Transfer-Encoding: chunked\r\n\r\nzz\r\n{body}\r\n0\r\n\r\n", false),
            9 => ($"GET {path} HTTP/1.1\r\n{Head(token)}X-Large: {new string('a', 40_000)}\r\n\r\n", false),
            10 => ($"GET /api/v1/jobs?{new[] { "count=-1", "count=1e9", "skip=many", "state=%00", "count=0x10", "skip=99999999999" }[random.Next(6)]} HTTP/1.1\r\n{Head(token)}\r\n", false),
            11 => ($"PUT /api/v1/files/{trap} HTTP/1.1\r\n{Head(token)}Content-Length: 0\r\n\r\n", false),
            12 => ($"{new[] { "GET", "DELETE" }[random.Next(2)]} /api/v1/files/{trap} HTTP/1.1\r\n{Head(token)}\r\n", false),
            13 => ($"PUT /api/v1/files/cut.bin HTTP/1.1\r\n{Head(token)}Content-Length: 500\r\n\r\n{body}", true),
            _ => ($"POST /api/v1/jobs HTTP/1.1\r\n{Head(token)}{Json}Content-Length: 500\r\n\r\n{body}", true),
        };
    }

    private string Head(string token) => $"Host: {guarded.Api.Url.Authority}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n";

    /// <returns>The status of the answer; null where there is none.</returns>
    private async Task<int?> SendAsync(string text, bool isCut)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, guarded.Api.Url.Port);
        await using var stream = socket.GetStream();
        try
        {
            await stream.WriteAsync(Encoding.UTF8.GetBytes(text));
            if (isCut) { socket.Client.Shutdown(SocketShutdown.Send); }
            using var reader = new StreamReader(stream, Encoding.ASCII);
            var line = await reader.ReadLineAsync(Deadline.Token());
            return line is not null && line.Split(' ') is [_, var status, ..] ? int.Parse(status, CultureInfo.InvariantCulture) : null;
        }
        catch (IOException) when (isCut || text.Length > 30_000)
        {
            return isCut ? null : 431; // Refused while it was still being sent.
        }
    }
}
