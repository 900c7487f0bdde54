using System.Collections.Immutable;
using System.Text.Json;
using Cluster.Client;
using Cluster.Contracts;
using Cluster.Contracts.Jobs;
using Cluster.Tests.Checkpoints;
using Cluster.Tests.EndToEnd;
using Cluster.Trainer.Core.Checkpoints;

namespace Cluster.Tests.Api;

/// <summary>The tool's verbs in this process, against the API over fake grains.</summary>
[Collection(ConsoleTests.Name)]
public sealed class VerbTests : IAsyncLifetime
{
    private readonly TestApi _api = new();

    public Task InitializeAsync() => _api.InitializeAsync();

    public Task DisposeAsync() => _api.DisposeAsync();

    [Fact]
    public async Task Submit_prints_the_jobs_id_and_sends_the_folders_of_its_data()
    {
        var spec = await SpecAsync();
        var result = await RunAsync("submit", spec, "--workers", "3", "--set", "seed=4");
        Assert.Matches("^digits-[a-z2-7]{10}\n$", result.Output);
        var submission = _api.Cluster.Job(result.Output.Trim()).Submission!;
        Assert.Equal((3, 3), (submission.MinWorkers, submission.MaxWorkers));
        Assert.Contains("seed: 4", submission.SpecText, StringComparison.Ordinal);
        Assert.Equal(_api.Store, submission.DataRoots[0]);
        Assert.StartsWith("digits-", Json(await RunAsync("submit", spec, "--json")).GetProperty("jobId").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_spec_is_refused_with_file_and_line_before_anything_is_sent()
    {
        var spec = await SpecAsync(TestApi.Spec.Replace("batch: 64", "batch: -64", StringComparison.Ordinal));
        var result = await RunAsync("submit", spec);
        Assert.Equal(ExitCodes.BadInput, result.ExitCode);
        Assert.Contains($"{spec}:5: batch: found", result.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await _api.Client.ListAsync(0, 1, null, CancellationToken.None)).Total);
    }

    [Fact]
    public async Task Files_are_uploaded_listed_and_removed()
    {
        var path = Path.Combine(_api.Store, "my net.pt");
        await File.WriteAllBytesAsync(path, [1, 2, 3]);
        var hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData([1, 2, 3]));
        Assert.Contains("--name: found 'my net.pt', allowed: 1 to 128 of a-z", (await RunAsync("upload", path)).Error, StringComparison.Ordinal);
        Assert.Equal($"upload:net.pt: 3 bytes, SHA-256 {hash}\n", (await RunAsync("upload", path, "--name", "net.pt")).Output);
        Assert.Equal(hash, Json(await RunAsync("upload", path, "--name", "net.pt", "--json")).GetProperty("sha256").GetString());

        Assert.Matches($@"upload:net\.pt +3 .*{hash}", (await RunAsync("uploads")).Output);
        Assert.Equal(1, Json(await RunAsync("uploads", "--json")).GetProperty("total").GetInt32());
        Assert.Equal("net.pt is deleted\n", (await RunAsync("remove-upload", "upload:net.pt")).Output);

        var refused = await RunAsync("remove-upload", "net.pt");
        Assert.Equal((ExitCodes.BadInput, "there is no uploaded file net.pt\n"), (refused.ExitCode, refused.Error));
        Assert.Contains("no such file", (await RunAsync("upload", Path.Combine(_api.Store, "none.pt"))).Error, StringComparison.Ordinal);
        Assert.Contains("is a folder", (await RunAsync("upload", _api.Store, "--name", "x")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Curves_are_exported_and_a_report_is_written()
    {
        _api.Cluster.Add("told", JobState.Succeeded).Reach(3);
        _api.Cluster.Add("new");
        var csv = Path.Combine(_api.Store, "out", "curves.csv");
        Assert.Contains("1 curve of told, 3 points", (await RunAsync("export", "told", csv, "--format", "csv")).Output, StringComparison.Ordinal);
        Assert.Equal("round,samplesSeen,loss\r\n1,64,1\r\n2,128,\r\n3,192,0.3333333333333333\r\n", await File.ReadAllTextAsync(csv));
        Assert.Equal(3, Json(await RunAsync("export", "told", Path.Combine(_api.Store, "curves.parquet"), "--format", "parquet", "--json")).GetProperty("points").GetInt32());
        var events = Json(await RunAsync("export", "told", Path.Combine(_api.Store, "runs"), "--format", "tensorboard", "--json")).GetProperty("path").GetString()!;
        Assert.StartsWith(Path.Combine(_api.Store, "runs", "told", "events.out.tfevents."), events, StringComparison.Ordinal);
        Assert.True(File.Exists(events));

        var html = Path.Combine(_api.Store, "told.html");
        Assert.Equal($"{html}: told is Succeeded\n", (await RunAsync("report", "told", html)).Output);
        Assert.Contains("<polyline", await File.ReadAllTextAsync(html), StringComparison.Ordinal);

        var refused = await RunAsync("export", "new", csv, "--format", "csv");
        Assert.Equal((ExitCodes.BadInput, "job new has no curves yet: no round of it was told\n"), (refused.ExitCode, refused.Error));
        Assert.Contains("--round is for a model", (await RunAsync("export", "told", csv, "--format", "csv", "--round", "3")).Error, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.BadInput, (await RunAsync("export", "told", csv, "--format", "excel")).ExitCode);
        Assert.Equal(ExitCodes.BadInput, (await RunAsync("report", "nobody", html)).ExitCode);
    }

    [Fact]
    public async Task List_and_show_speak_to_people_and_to_programs()
    {
        _api.Cluster.Add("first", JobState.Failed);
        var second = _api.Cluster.Add("second");
        second.Reach(2);
        second.Tell(new(3, false, 3, 192, 0, ImmutableDictionary<string, double>.Empty.Add("loss", 0.25).Add("trustRatio.1.encoder", 0.125)));
        var text = (await RunAsync("list")).Output;
        Assert.True(text.IndexOf("second", StringComparison.Ordinal) < text.IndexOf("first", StringComparison.Ordinal), text);
        Assert.Contains("3/1000", text, StringComparison.Ordinal);
        Assert.Contains("first", (await RunAsync("list", "--state", "failed", "--count", "1")).Output, StringComparison.Ordinal);
        Assert.Contains("more with --skip 1", (await RunAsync("list", "--count", "1")).Output, StringComparison.Ordinal);
        Assert.Equal(2, Json(await RunAsync("list", "--json")).GetProperty("total").GetInt32());

        var shown = (await RunAsync("show", "second")).Output;
        foreach (var words in (string[])["second", "Running: as the test says", "worker-0", "it began", "a notice"]) { Assert.Contains(words, shown, StringComparison.Ordinal); }
        Assert.Contains("0.25", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("trustRatio", shown, StringComparison.Ordinal); // Dozens of layers: for a picture, and for programs.
        var json = Json(await RunAsync("show", "second", "--json"));
        Assert.Equal(("Running", 0.125), (json.GetProperty("state").GetString(), json.GetProperty("metrics").GetProperty("trustRatio.1.encoder").GetDouble()));
    }

    [Fact]
    public async Task Watch_shows_the_jobs_end_and_answers_with_its_exit_code()
    {
        var id = (await RunAsync("submit", await SpecAsync())).Output.Trim();
        var job = _api.Cluster.Job(id);
        job.Reach(3);
        job.State = JobState.Failed;
        var result = await RunAsync("watch", id);
        Assert.Equal(ExitCodes.Failed, result.ExitCode);
        foreach (var words in (string[])[id, "mlp with lamb on 1 worker", "a notice", "Failed"]) { Assert.Contains(words, result.Output, StringComparison.Ordinal); }

        var lines = (await RunAsync("watch", id, "--json")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("Failed", JsonDocument.Parse(lines[^1]).RootElement.GetProperty("state").GetString());
    }

    [Fact]
    public async Task Submit_with_follow_ends_with_the_job_and_its_json_is_the_report()
    {
        var running = RunAsync("submit", await SpecAsync(), "--follow", "--json");
        while (true)
        {
            if ((await _api.Client.ListAsync(0, 1, null, CancellationToken.None)).Jobs is [var job])
            {
                _api.Cluster.Job(job.JobId).Reach(2);
                _api.Cluster.Job(job.JobId).State = JobState.Succeeded;
                break;
            }

            Assert.False(running.IsCompleted);
        }

        var result = await running;
        Assert.Equal(ExitCodes.Succeeded, result.ExitCode);
        Assert.Equal("Succeeded", Json(result).GetProperty("state").GetString());
        Assert.Contains("mlp with lamb", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Logs_name_their_worker()
    {
        _api.Cluster.Add("job", JobState.Succeeded);
        _api.Write("job", "logs/worker-0.log", "hello\n");
        _api.Write("job", "logs/worker-1.log", "there\n");
        Assert.Equal("worker-0 | hello\nworker-1 | there\n", (await RunAsync("logs", "job")).Output);
        Assert.Equal("worker-1 | there\n", (await RunAsync("logs", "job", "-f", "--worker", "worker-1")).Output);
        Assert.Equal("hello", Json(await RunAsync("logs", "job", "--worker", "worker-0", "--json")).GetProperty("text").GetString());
    }

    [Theory]
    [InlineData("cancel", "stop: enough")]
    [InlineData("pause", "pause: enough")]
    public async Task An_order_reaches_the_job(string verb, string order)
    {
        var job = _api.Cluster.Add("job");
        Assert.Equal("job is Running: as the test says\n", (await RunAsync(verb, "job", "--reason", "enough")).Output);
        Assert.Equal("job", Json(await RunAsync(verb, "job", "--json")).GetProperty("jobId").GetString());
        Assert.Equal(order, job.Orders[0]);
        job.Refusal = "it has ended";
        var refused = await RunAsync(verb, "job");
        Assert.Equal((ExitCodes.BadInput, "it has ended\n"), (refused.ExitCode, refused.Error));
    }

    [Fact]
    public async Task Resume_reaches_the_job()
    {
        var job = _api.Cluster.Add("job", JobState.Paused);
        Assert.Equal("job is Paused: as the test says\n", (await RunAsync("resume", "job")).Output);
        Assert.Equal(["resume"], job.Orders);
    }

    [Fact]
    public async Task Workers_are_listed_drained_and_waited_for()
    {
        _api.Cluster.AddWorker("worker-0", "job");
        _api.Cluster.AddWorker("worker-1");
        var text = (await RunAsync("workers")).Output;
        Assert.Contains("worker-0", text, StringComparison.Ordinal);
        Assert.Contains("idle", text, StringComparison.Ordinal);
        Assert.Equal(2, Json(await RunAsync("workers", "--json")).GetArrayLength());
        Assert.Equal("worker-1: drained\n", (await RunAsync("drain", "worker-1", "--wait")).Output);
        Assert.Equal("worker-0: job (draining)\n", (await RunAsync("drain", "worker-0")).Output);

        var waiting = RunAsync("drain", "worker-0", "--wait");
        _api.Cluster.Workers[0] = _api.Cluster.Workers[0] with { JobId = null };
        Assert.Equal("worker-0: drained\n", (await waiting).Output);
        Assert.Equal("worker-0: idle\n", (await RunAsync("undrain", "worker-0")).Output);
        Assert.Equal(ExitCodes.BadInput, (await RunAsync("drain", "worker-9")).ExitCode);
    }

    [Fact]
    public async Task Export_copies_a_model_whole_and_checked()
    {
        using var job = Checkpoints();
        job.Save(10);
        var newest = job.Save(20);
        var file = Path.Combine(_api.Store, "out", "mine.safetensors");
        Assert.Contains("round 20", (await RunAsync("export", "job", file)).Output, StringComparison.Ordinal);
        Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(newest, JobLayout.Model)), await File.ReadAllBytesAsync(file));
        Assert.True(File.Exists(file + ".manifest.json"));

        var folder = Path.Combine(_api.Store, "folder");
        var answer = Json(await RunAsync("export", "job", folder, "--round", "10", "--json"));
        Assert.Equal((10, Path.Combine(folder, JobLayout.Model)), (answer.GetProperty("round").GetInt32(), answer.GetProperty("path").GetString()));
        Assert.Equal([JobLayout.Manifest, JobLayout.Model], Directory.GetFiles(folder).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task A_damaged_model_is_not_exported()
    {
        using var job = Checkpoints();
        var path = Path.Combine(job.Save(10), JobLayout.Model);
        var bytes = await File.ReadAllBytesAsync(path);
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(path, bytes);
        var target = Path.Combine(_api.Store, "out");
        var result = await RunAsync("export", "job", target);
        Assert.Equal(ExitCodes.BadInput, result.ExitCode);
        Assert.Contains("SHA-256 does not match", result.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(target));
        Assert.Contains("it has those of the rounds 10", (await RunAsync("export", "job", target, "--round", "11")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Checkpoints_are_listed()
    {
        using var job = Checkpoints();
        job.Save(1_000);
        Assert.Contains("1,000", (await RunAsync("checkpoints", "job")).Output, StringComparison.Ordinal);
        Assert.Equal(1_000, Json(await RunAsync("checkpoints", "job", "--json"))[0].GetProperty("round").GetInt32());
    }

    [Fact]
    public async Task Where_no_cluster_is_the_exit_code_is_3_and_standard_output_is_empty()
    {
        string[][] verbs = [["list"], ["show", "job"], ["watch", "job"], ["logs", "job"], ["cancel", "job"], ["workers"], ["drain", "w"], ["checkpoints", "job"], ["export", "job", "x"], ["submit", await SpecAsync()]];
        var results = new List<ToolResult>();
        foreach (var verb in verbs) { results.Add(await Tool.RunHereAsync([.. verb, "--cluster", "http://127.0.0.1:1", "--json"])); }
        Assert.All(results, result =>
        {
            Assert.Equal((ExitCodes.NoCluster, ""), (result.ExitCode, result.Output));
            Assert.StartsWith("no cluster answers at http://127.0.0.1:1/", result.Error, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task An_address_that_is_none_is_bad_input() =>
        Assert.Equal(ExitCodes.BadInput, (await Tool.RunHereAsync("list", "--cluster", "here")).ExitCode);

    private Task<ToolResult> RunAsync(params string[] verb) => Tool.RunHereAsync([.. verb, "--cluster", _api.Url.ToString()]);

    private static JsonElement Json(ToolResult result) => JsonDocument.Parse(result.Output).RootElement;

    private async Task<string> SpecAsync(string text = TestApi.Spec)
    {
        var path = Path.Combine(_api.Store, "digits.yaml");
        await File.WriteAllTextAsync(path, text);
        return path;
    }

    private CheckpointFixture Checkpoints()
    {
        _api.Cluster.Add("job");
        return new CheckpointFixture { JobDirectory = Directory.CreateDirectory(Path.Combine(_api.Store, "jobs", "job")).FullName };
    }
}

/// <summary>Tests that take the console of this process run alone.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ConsoleTests
{
    public const string Name = "Console";
}
