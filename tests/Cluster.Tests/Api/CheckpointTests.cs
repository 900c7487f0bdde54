using System.Net;
using Cluster.Contracts;
using Cluster.Tests.Checkpoints;
using Cluster.Trainer.Core.Checkpoints;

namespace Cluster.Tests.Api;

public sealed class CheckpointTests : IAsyncLifetime
{
    private readonly TestApi _api = new();

    public async Task InitializeAsync()
    {
        await _api.InitializeAsync();
        _api.Cluster.Add("job");
    }

    public Task DisposeAsync() => _api.DisposeAsync();

    private CheckpointFixture Job() => new() { JobDirectory = Directory.CreateDirectory(Path.Combine(_api.Store, "jobs", "job")).FullName };

    [Fact]
    public async Task Checkpoints_are_listed_newest_first_as_their_manifests_say()
    {
        using var job = Job();
        job.Save(10);
        var path = job.Save(20);
        var listed = await _api.Client.CheckpointsAsync("job", CancellationToken.None);
        Assert.Equal([20L, 10L], listed.Select(c => c.Round));
        var manifest = Checkpoint.ReadManifest(path);
        Assert.Equal((path, 20L * 64, manifest.WeightsSha256, manifest.WrittenUtc), (listed[0].Path, listed[0].SamplesSeen, listed[0].WeightsSha256, listed[0].Written));
        Assert.Equal(manifest.Files.Select(f => (f.Name, f.Bytes, f.Sha256)), listed[0].Files.Select(f => (f.Name, f.Bytes, f.Sha256)));
        Assert.Null(listed[0].Problem);
    }

    [Fact]
    public async Task A_damaged_one_is_listed_with_what_is_wrong()
    {
        using var job = Job();
        foreach (var round in (long[])[1, 2, 3]) { job.Save(round); }
        await File.WriteAllTextAsync(Path.Combine(job.Folder, "round-000000001", JobLayout.Manifest), "{}");
        File.Delete(Path.Combine(job.Folder, "round-000000002", JobLayout.Model));
        await File.AppendAllTextAsync(Path.Combine(job.Folder, "round-000000003", JobLayout.Model), "x");
        var listed = await _api.Client.CheckpointsAsync("job", CancellationToken.None);
        Assert.Contains("manifest.json cannot be read", listed[2].Problem, StringComparison.Ordinal);
        Assert.Equal("model.safetensors is missing", listed[1].Problem);
        Assert.Contains("it was written with", listed[0].Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Other_folders_and_links_are_no_checkpoints()
    {
        using var job = Job();
        Assert.Empty(await _api.Client.CheckpointsAsync("job", CancellationToken.None));
        var path = job.Save(7);
        Directory.CreateDirectory(Path.Combine(job.Folder, "round-7"));
        Directory.CreateDirectory(Path.Combine(job.Folder, "round-latest"));
        Directory.CreateDirectory(Path.Combine(job.Folder, ".round-000000008.partial-x-1"));
        Directory.CreateSymbolicLink(Path.Combine(job.Folder, "round-000000009"), path);
        Assert.Equal(7, Assert.Single(await _api.Client.CheckpointsAsync("job", CancellationToken.None)).Round);
        await TestApi.ProblemAsync(await _api.Http.GetAsync("jobs/job/checkpoints/9/model.safetensors"), HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_file_comes_byte_for_byte()
    {
        using var job = Job();
        var path = job.Save(5);
        using var model = new MemoryStream();
        await _api.Client.DownloadAsync("job", 5, JobLayout.Model, model, CancellationToken.None);
        Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(path, JobLayout.Model)), model.ToArray());
    }

    [Theory]
    [InlineData("5/..%2F..%2Fspec.yaml")]
    [InlineData("5/secret.txt")]
    [InlineData("6/model.safetensors")]
    [InlineData("-5/model.safetensors")]
    public async Task Nothing_but_the_files_of_a_checkpoint_is_handed_out(string file)
    {
        using var job = Job();
        await File.WriteAllTextAsync(Path.Combine(job.Save(5), "secret.txt"), "secret");
        await TestApi.ProblemAsync(await _api.Http.GetAsync($"jobs/job/checkpoints/{file}"), HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_missing_file_is_bad_input_to_the_sdk()
    {
        var refused = await Assert.ThrowsAsync<BadInputException>(() => _api.Client.DownloadAsync("job", 1, JobLayout.Model, Stream.Null, CancellationToken.None));
        Assert.Contains("round 1", refused.Message, StringComparison.Ordinal);
    }
}
