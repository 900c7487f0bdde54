using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Cluster.Client;
using Cluster.Contracts;
using Cluster.Contracts.Api;
using Cluster.Contracts.Spec;

namespace Cluster.Tests.Api;

/// <summary>Files that are handed to the cluster, and the specs that name them.</summary>
public sealed class FileTests : IAsyncLifetime
{
    private static readonly CancellationToken s_none = CancellationToken.None;

    private readonly TestApi _api = new() { Change = settings => settings with { MaxUploadMegabytes = 1 } };

    public Task InitializeAsync() => _api.InitializeAsync();

    public Task DisposeAsync() => _api.DisposeAsync();

    [Fact]
    public async Task A_file_comes_whole_with_its_hash_and_lies_in_the_store()
    {
        var bytes = RandomNumberGenerator.GetBytes(700_001);
        var uploaded = await UploadAsync("net-1.pt", bytes);
        Assert.Equal(("net-1.pt", 700_001, Hash(bytes)), (uploaded.Name, uploaded.Bytes, uploaded.Sha256));
        Assert.InRange(TimeProvider.System.GetUtcNow() - uploaded.Uploaded, TimeSpan.FromMinutes(-1), TimeSpan.FromMinutes(1));
        Assert.Equal(bytes, await File.ReadAllBytesAsync(Uploads.Find(Path.Combine(_api.Store, "uploads"), "net-1.pt")!.FullName));
        Assert.Equal(uploaded, await _api.Client.FileAsync("net-1.pt", s_none));
    }

    [Fact]
    public async Task The_same_bytes_are_the_same_file_and_other_bytes_are_a_conflict()
    {
        var first = await UploadAsync("a.txt", "one"u8.ToArray());
        Assert.Equal(first, await UploadAsync("a.txt", "one"u8.ToArray()));

        var problem = await TestApi.ProblemAsync(await PutAsync("a.txt", "two"u8.ToArray()), HttpStatusCode.Conflict);
        Assert.Contains(first.Sha256, problem.Detail, StringComparison.Ordinal);
        Assert.Contains(Hash("two"u8.ToArray()), problem.Detail, StringComparison.Ordinal);
        Assert.Equal(first, await _api.Client.FileAsync("a.txt", s_none));

        await _api.Client.RemoveFileAsync("a.txt", s_none);
        Assert.Equal(Hash("two"u8.ToArray()), (await UploadAsync("a.txt", "two"u8.ToArray())).Sha256);
        AssertNothingElse("a.txt");
    }

    [Fact]
    public async Task Of_many_at_once_under_one_name_one_wins_and_the_others_hear_of_it()
    {
        var bodies = Enumerable.Range(0, 12).Select(i => Encoding.UTF8.GetBytes($"{i % 3}".PadLeft(200_000))).ToArray();
        var answers = await Task.WhenAll(bodies.Select(body => PutAsync("raced.txt", body)));
        var winner = (await _api.Client.FileAsync("raced.txt", s_none)).Sha256;
        Assert.Equal(bodies.Select(body => Hash(body) == winner ? HttpStatusCode.OK : HttpStatusCode.Conflict), answers.Select(answer => answer.StatusCode));
        AssertNothingElse("raced.txt");
    }

    [Fact]
    public async Task Files_are_listed_by_name_page_by_page()
    {
        foreach (var name in (string[])["c", "a", "b"]) { await UploadAsync(name, Encoding.UTF8.GetBytes(name)); }
        var page = await _api.Client.FilesAsync(0, 2, s_none);
        Assert.Equal(["a", "b"], page.Files.Select(file => file.Name));
        Assert.Equal((3, 2), (page.Total, page.Next));
        page = await _api.Client.FilesAsync(2, 2, s_none);
        Assert.Equal(["c"], page.Files.Select(file => file.Name));
        Assert.Null(page.Next);
        await TestApi.ProblemAsync(await _api.Http.GetAsync("files?count=501"), HttpStatusCode.BadRequest);
        await TestApi.ProblemAsync(await _api.Http.GetAsync("files?skip=-1"), HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task What_is_not_there_is_missing()
    {
        await TestApi.ProblemAsync(await _api.Http.GetAsync("files/nothing.pt"), HttpStatusCode.NotFound);
        await TestApi.ProblemAsync(await _api.Http.DeleteAsync("files/nothing.pt"), HttpStatusCode.NotFound);
        Assert.Equal("there is no uploaded file nothing.pt", (await Assert.ThrowsAsync<BadInputException>(() => _api.Client.RemoveFileAsync("nothing.pt", s_none))).Message);
        Assert.Equal(0, (await _api.Client.FilesAsync(0, 10, s_none)).Total);
    }

    [Theory]
    [InlineData("..")]
    [InlineData(".hidden")]
    [InlineData("a%2fb")]
    [InlineData("..%2f..%2ftokens.json")]
    [InlineData("a%5cb")]
    [InlineData("a%00b")]
    [InlineData("a%20b")]
    [InlineData("%c3%a4")]
    [InlineData("-a")]
    public async Task A_name_that_is_no_plain_name_is_refused_and_nothing_is_written(string name)
    {
        // Sent as it stands: a client of .NET would resolve the dots.
        var (status, _) = await RawAsync($"PUT /api/v1/files/{name} HTTP/1.1\r\nHost: {_api.Url.Authority}\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx");
        Assert.InRange(status, 400, 405);
        Assert.Equal(["uploads"], Directory.EnumerateFileSystemEntries(_api.Store).Select(Path.GetFileName).Append("uploads").Distinct());
        AssertNothingElse();
    }

    [Fact]
    public async Task A_long_name_is_refused()
    {
        var problem = await TestApi.ProblemAsync(await PutAsync(new string('a', 129), [1]), HttpStatusCode.BadRequest);
        Assert.Contains("1 to 128 of a-z", problem.Detail, StringComparison.Ordinal);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_body_beyond_the_limit_is_413_and_leaves_nothing(bool isLengthKnown)
    {
        const int Limit = 1 << 20;
        Assert.Equal(Limit, (await UploadAsync("just.bin", new byte[Limit])).Bytes);

        var head = isLengthKnown ? $"Content-Length: {Limit + 1}\r\n\r\n" : "Transfer-Encoding: chunked\r\n\r\n";
        var body = new string('x', Limit + 1);
        var (status, text) = await RawAsync($"PUT /api/v1/files/large.bin HTTP/1.1\r\nHost: {_api.Url.Authority}\r\nConnection: close\r\n{head}{(isLengthKnown ? "" : $"{Limit + 1:x}\r\n{body}\r\n0\r\n\r\n")}");
        Assert.Equal(413, status);
        Assert.Contains("a file may have 1,048,576 bytes", text, StringComparison.Ordinal);
        AssertNothingElse("just.bin");
        Assert.Contains("may have 1,048,576 bytes", (await Assert.ThrowsAsync<BadInputException>(() => UploadAsync("large.bin", new byte[Limit + 1]))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_empty_file_is_refused() => await TestApi.ProblemAsync(await PutAsync("empty.bin", []), HttpStatusCode.BadRequest);

    [Fact]
    public async Task An_upload_that_breaks_off_leaves_nothing()
    {
        using (var socket = new TcpClient())
        {
            await socket.ConnectAsync(IPAddress.Loopback, _api.Url.Port);
            await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"PUT /api/v1/files/cut.bin HTTP/1.1\r\nHost: {_api.Url.Authority}\r\nContent-Length: 500000\r\n\r\n{new string('x', 100_000)}"));
            await UntilAsync(() => Entries().Any(name => name.StartsWith(".partial-", StringComparison.Ordinal)));
        }

        await UntilAsync(() => Entries().Length == 0);
        await TestApi.ProblemAsync(await _api.Http.GetAsync("files/cut.bin"), HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task What_a_dead_process_left_is_swept_away_after_a_day()
    {
        var left = Directory.CreateDirectory(Path.Combine(_api.Store, "uploads", ".partial-old"));
        var young = Directory.CreateDirectory(Path.Combine(_api.Store, "uploads", ".partial-young"));
        left.LastWriteTimeUtc = TimeProvider.System.GetUtcNow().UtcDateTime.AddDays(-2);
        await UploadAsync("a.txt", [1]);
        Assert.Equal([".partial-young", "a.txt"], Entries().Order());
        young.Delete();
    }

    [Fact]
    public async Task A_store_that_cannot_be_written_is_507()
    {
        await File.WriteAllTextAsync(Path.Combine(_api.Store, "uploads"), "a file in the way");
        var problem = await TestApi.ProblemAsync(await PutAsync("a.txt", [1]), HttpStatusCode.InsufficientStorage);
        Assert.Contains("cannot be written", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Any_type_of_body_or_none_is_taken_and_a_page_of_another_site_is_not()
    {
        foreach (var type in (string?[])[null, "application/octet-stream", "text/plain", "application/x-www-form-urlencoded"])
        {
            Assert.Equal(HttpStatusCode.OK, (await PutAsync("typed.txt", [1, 2], type)).StatusCode);
        }

        using var request = new HttpRequestMessage(HttpMethod.Put, "files/foreign.txt") { Content = new ByteArrayContent([1]) };
        request.Headers.Add("Origin", "https://evil.example");
        await TestApi.ProblemAsync(await _api.Http.SendAsync(request), HttpStatusCode.Forbidden);
    }

    private const string Script = """
        name: script
        method: lamb
        model: {kind: torchscript, file: 'upload:net.pt'}
        data: {kind: digits}
        batch: 64
        epochs: 1
        schedule: {lr: 0.01}
        """;

    private const string Text = """
        name: text
        method: lamb
        model: {kind: gpt}
        data: {kind: text, files: ['upload:a.txt', text/b.txt]}
        batch: 64
        rounds: 1
        schedule: {lr: 0.01}
        """;

    [Fact]
    public async Task A_job_that_names_a_module_gets_its_hash_and_the_folder_of_uploads()
    {
        var net = await UploadAsync("net.pt", [1, 2, 3]);
        var submission = _api.Cluster.Job(await _api.Client.SubmitAsync(new() { Spec = Script }, s_none)).Submission!;
        var spec = SpecReader.Read(submission.SpecText, "saved").Require();
        Assert.Equal(new ModelSpec.TorchScript { File = "upload:net.pt", Sha256 = net.Sha256 }, spec.Model);
        Assert.Equal(SpecHash.Of(spec), submission.SpecHash);
        Assert.Equal(["/data/of/the/cluster", Path.Combine(_api.Store, "uploads")], submission.DataRoots.AsEnumerable());

        var other = Script.Replace("'upload:net.pt'}", $"'upload:net.pt', sha256: {new string('0', 64)}}}", StringComparison.Ordinal);
        Assert.Contains("is another file", (await Assert.ThrowsAsync<BadInputException>(() => _api.Client.SubmitAsync(new() { Spec = other }, s_none))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_that_names_no_upload_gets_no_folder_of_uploads()
    {
        var submission = _api.Cluster.Job(await _api.Client.SubmitAsync(new() { Spec = TestApi.Spec }, s_none)).Submission!;
        Assert.Equal(["/data/of/the/cluster"], submission.DataRoots.AsEnumerable());
    }

    [Fact]
    public async Task A_module_that_is_no_upload_needs_its_hash()
    {
        var refused = await Assert.ThrowsAsync<BadInputException>(() => _api.Client.SubmitAsync(new() { Spec = Script.Replace("upload:", "", StringComparison.Ordinal) }, s_none));
        Assert.Contains("model.sha256 is needed", refused.Message, StringComparison.Ordinal);
    }

    [Theory, InlineData(Script, "model.file", "net.pt"), InlineData(Text, "data.files[0]", "a.txt")]
    public async Task A_file_that_was_not_uploaded_is_said_with_its_key(string spec, string key, string name)
    {
        foreach (var path in (string[])["validate", "jobs"])
        {
            var answer = await _api.PostAsync(path, JsonSerializer.Serialize(new { spec }));
            var problems = path == "validate"
                ? JsonSerializer.Deserialize(await answer.Content.ReadAsStringAsync(), ApiJson.Default.ValidateResponse)!.Problems
                : (await TestApi.ProblemAsync(answer, HttpStatusCode.BadRequest)).Problems!;
            Assert.Equal((key, $"\"upload:{name}\", which was not uploaded"), (Assert.Single(problems).Key, problems[0].Found));
        }

        await UploadAsync(name, [1]);
        Assert.Empty((await _api.Client.ValidateAsync(new(spec), s_none)).Problems);
    }

    [Fact]
    public void The_name_of_an_upload_is_checked_where_a_spec_is_read()
    {
        foreach (var (yaml, key) in (ReadOnlySpan<(string, string)>)[(Script.Replace("net.pt", "../net.pt", StringComparison.Ordinal), "model.file"), (Text.Replace("a.txt", "a b", StringComparison.Ordinal), "data.files[0]"), (Script.Replace("{kind: digits}", "{kind: digits, path: 'upload:digits'}", StringComparison.Ordinal), "data.path")])
        {
            Assert.Equal(key, Assert.Single(SpecReader.Read(yaml, "spec").Problems).Key);
        }
    }

    private async Task<UploadedFile> UploadAsync(string name, byte[] bytes)
    {
        using var stream = new MemoryStream(bytes);
        var uploaded = await _api.Client.UploadAsync(name, stream, s_none);
        Assert.True(stream.CanRead); // It stays its owner's.
        return uploaded;
    }

    private async Task<HttpResponseMessage> PutAsync(string name, byte[] bytes, string? type = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, $"files/{name}") { Content = new ByteArrayContent(bytes) };
        if (type is not null) { request.Content.Headers.ContentType = new(type); }
        return await _api.Http.SendAsync(request);
    }

    private async Task<(int Status, string Text)> RawAsync(string request)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, _api.Url.Port);
        await using var stream = socket.GetStream();
        try { await stream.WriteAsync(Encoding.ASCII.GetBytes(request)); }
        catch (IOException) { } // Refused while it was still being sent: the answer is there all the same.
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var (text, block) = ("", new char[4096]);
        // One that was refused before its body came keeps the connection for some seconds more; the answer ends where its object does.
        for (int read; !text.Contains('}', StringComparison.Ordinal) && (read = await reader.ReadAsync(block, Deadline.Token())) > 0;) { text += new string(block, 0, read); }
        return (int.Parse(text.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture), text);
    }

    private string[] Entries() => Directory.Exists(Path.Combine(_api.Store, "uploads")) ? [.. Directory.EnumerateFileSystemEntries(Path.Combine(_api.Store, "uploads")).Select(path => Path.GetFileName(path))] : [];

    private void AssertNothingElse(params string[] names) => Assert.Equal(names, Entries());

    private static async Task UntilAsync(Func<bool> state)
    {
        using var period = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        var deadline = Deadline.Token();
        while (!state()) { await period.WaitForNextTickAsync(deadline); }
    }

    private static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
