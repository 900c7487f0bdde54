using System.Net;
using System.Text.Json;
using Cluster.Contracts;
using Cluster.Contracts.Api;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Spec;

namespace Cluster.Tests.Api;

public sealed class SubmitTests(TestApi api) : IClassFixture<TestApi>
{
    private static readonly CancellationToken s_none = CancellationToken.None;

    private static string Body(object request) => JsonSerializer.Serialize(request);

    [Fact]
    public async Task A_job_gets_an_id_of_its_name_a_location_and_a_folder_with_its_effective_spec()
    {
        var response = await api.PostAsync("jobs", Body(new { spec = TestApi.Spec, set = new[] { "seed=7" }, dataRoots = new[] { "/mine" } }));
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        var id = JsonSerializer.Deserialize(await response.Content.ReadAsStringAsync(), ApiJson.Default.SubmitResponse)!.JobId;
        Assert.Matches("^digits-[a-z2-7]{10}$", id);
        Assert.Equal($"/api/v1/jobs/{id}", response.Headers.Location!.ToString());

        var submission = api.Cluster.Job(id).Submission!;
        Assert.Equal(Path.Combine(api.Store, "jobs", id), submission.Directory);
        Assert.Equal(submission.SpecText, await File.ReadAllTextAsync(Path.Combine(submission.Directory, "spec.yaml")));
        Assert.Equal(7, SpecReader.Read(submission.SpecText, "saved").Require().Seed);
        Assert.Equal(SpecHash.Of(SpecReader.Read(submission.SpecText, "saved").Require()), submission.SpecHash);
        Assert.Equal(["/mine", "/data/of/the/cluster"], submission.DataRoots.AsEnumerable());
        Assert.Equal((2, 5, false), (submission.MinWorkers, submission.MaxWorkers, submission.Resume));
    }

    [Theory]
    [InlineData(3, null, null, 3, 3)]
    [InlineData(null, 1, null, 1, 5)]
    [InlineData(null, 7, null, 7, 7)]
    [InlineData(null, 1, 9, 1, 9)]
    [InlineData(null, null, 3, 2, 3)]
    public async Task Workers_are_as_asked_and_else_as_the_spec_says(int? workers, int? min, int? max, int expectedMin, int expectedMax)
    {
        var id = await api.Client.SubmitAsync(new() { Spec = TestApi.Spec, Workers = workers, MinWorkers = min, MaxWorkers = max }, s_none);
        var submission = api.Cluster.Job(id).Submission!;
        Assert.Equal((expectedMin, expectedMax), (submission.MinWorkers, submission.MaxWorkers));
    }

    [Fact]
    public async Task The_same_token_is_the_same_job_and_no_token_is_a_new_one_each_time()
    {
        var request = new SubmitRequest { Spec = TestApi.Spec, Token = "once" };
        var first = await api.Client.SubmitAsync(request, s_none);
        Assert.Equal(first, await api.Client.SubmitAsync(request, s_none));
        Assert.Equal(2, api.Cluster.Job(first).Submissions);
        Assert.NotEqual(first, await api.Client.SubmitAsync(request with { Token = "twice" }, s_none));

        var body = Body(new { spec = TestApi.Spec });
        var locations = new[] { (await api.PostAsync("jobs", body)).Headers.Location, (await api.PostAsync("jobs", body)).Headers.Location };
        Assert.NotEqual(locations[0], locations[1]);
    }

    [Fact]
    public async Task Another_spec_with_a_used_token_is_a_conflict_and_leaves_the_first_job_as_it_is()
    {
        var request = new SubmitRequest { Spec = TestApi.Spec, Token = "taken" };
        var id = await api.Client.SubmitAsync(request, s_none);
        var path = Path.Combine(api.Store, "jobs", id, "spec.yaml");
        var before = await File.ReadAllTextAsync(path);

        var problem = await TestApi.ProblemAsync(await api.PostAsync("jobs", Body(new { spec = TestApi.Spec, token = "taken", set = new[] { "seed=9" } })), HttpStatusCode.Conflict);
        Assert.Contains("submitted before with another spec", problem.Detail, StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllTextAsync(path));
    }

    [Fact]
    public async Task A_job_that_is_refused_leaves_no_folder()
    {
        var id = await api.Client.SubmitAsync(new() { Spec = TestApi.Spec, Token = "refused" }, s_none);
        var folder = api.Cluster.Job(id).Submission!.Directory;
        Directory.Delete(folder, recursive: true);
        (api.Cluster.Job(id).Submission, api.Cluster.Job(id).Refusal) = (null, "no more jobs today");

        var refused = await Assert.ThrowsAsync<BadInputException>(() => api.Client.SubmitAsync(new() { Spec = TestApi.Spec, Token = "refused" }, s_none));
        Assert.Equal("no more jobs today", refused.Message);
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public async Task All_problems_of_a_spec_come_at_once_with_line_key_found_and_allowed()
    {
        var spec = TestApi.Spec.Replace("batch: 64", "batch: many\nbatsch: 3", StringComparison.Ordinal);
        var problem = await TestApi.ProblemAsync(await api.PostAsync("jobs", Body(new { spec, set = new[] { "schedule.lr=-1" } })), HttpStatusCode.BadRequest);
        Assert.Equal("The spec is wrong", problem.Title);
        Assert.Contains(problem.Problems!, p => p is { Line: 5, Key: "batch" });
        Assert.Contains(problem.Problems!, p => p is { Line: 6, Key: "batsch" });
        Assert.Contains(problem.Problems!, p => p is { Source: "--set schedule.lr=-1", Key: "schedule.lr" });
        Assert.All(problem.Problems!, p => Assert.Contains(p.ToString(), problem.Detail, StringComparison.Ordinal));

        var refused = await Assert.ThrowsAsync<BadInputException>(() => api.Client.SubmitAsync(new() { Spec = "nothing: 1" }, s_none));
        Assert.Contains("spec:1: nothing: found", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"spec": "x", "worker": 3}""", "$.worker")]
    [InlineData("""{"workers": 3}""", "spec (needed)")]
    [InlineData("""{"spec": "x", "workers": "three"}""", "$.workers")]
    [InlineData("""{"spec": null}""", "$.spec")]
    [InlineData("""{"spec": """, "line 1")]
    [InlineData("""[]""", "an object with the keys spec")]
    [InlineData("null", "the body is null")]
    [InlineData("", "line 1")]
    public async Task A_body_that_is_not_what_the_route_takes_is_refused_with_its_place(string body, string words)
    {
        var problem = await TestApi.ProblemAsync(await api.PostAsync("jobs", body), HttpStatusCode.BadRequest);
        Assert.Contains(words, problem.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"workers\": 0", "workers is 0; allowed: 1 to 1024")]
    [InlineData("\"workers\": 1025", "workers is 1025")]
    [InlineData("\"workers\": 2, \"minWorkers\": 1", "workers is a fixed number")]
    [InlineData("\"minWorkers\": 4, \"maxWorkers\": 3", "maxWorkers is 3; allowed: 4 to 1024")]
    [InlineData("\"token\": \"\"", "token has 0 characters; allowed: 1 to 256")]
    [InlineData("\"dataRoots\": [\"../data\"]", "an absolute path is needed")]
    [InlineData("\"dataRoots\": [\"\"]", "an absolute path is needed")]
    public async Task A_value_that_is_not_allowed_is_refused_in_its_own_words(string json, string words)
    {
        var problem = await TestApi.ProblemAsync(await api.PostAsync("jobs", $"{{\"spec\": {JsonSerializer.Serialize(TestApi.Spec)}, {json}}}"), HttpStatusCode.BadRequest);
        Assert.Contains(words, problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_above_the_bound_is_refused_and_the_largest_spec_is_not_too_large()
    {
        await TestApi.ProblemAsync(await api.PostAsync("jobs", Body(new { spec = new string('x', 3 << 20) })), HttpStatusCode.RequestEntityTooLarge);
        var refused = await Assert.ThrowsAsync<BadInputException>(() => api.Client.SubmitAsync(new() { Spec = new string('x', 3 << 20) }, s_none));
        Assert.Contains("2097152 bytes", refused.Message, StringComparison.Ordinal);
        var problem = await TestApi.ProblemAsync(await api.PostAsync("jobs", Body(new { spec = new string('#', (1 << 20) + 1) })), HttpStatusCode.BadRequest);
        Assert.Contains("1 MiB", problem.Detail, StringComparison.Ordinal);
        var comment = "\n#" + new string('x', (1 << 20) - TestApi.Spec.Length - 2);
        Assert.Equal(HttpStatusCode.Created, (await api.PostAsync("jobs", Body(new { spec = TestApi.Spec + comment }))).StatusCode);
    }

    [Fact]
    public async Task A_store_that_cannot_be_written_is_said_and_no_job_is_submitted()
    {
        await using var single = await OwnApi.StartAsync();
        var other = single.Api;
        await File.WriteAllTextAsync(Path.Combine(other.Store, "jobs"), "a file");
        var refused = await Assert.ThrowsAsync<BadInputException>(() => other.Client.SubmitAsync(new() { Spec = TestApi.Spec }, s_none));
        Assert.Contains("cannot be written", refused.Message, StringComparison.Ordinal);
        Assert.Equal(0, (await other.Client.ListAsync(0, 10, null, s_none)).Total);
    }
}
