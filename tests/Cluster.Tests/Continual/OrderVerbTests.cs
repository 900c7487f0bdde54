using System.Text.Json;
using Cluster.Contracts;
using Cluster.Contracts.Api;
using Cluster.Contracts.Jobs;
using Cluster.Tests.Api;
using Cluster.Tests.Control;
using Cluster.Tests.EndToEnd;

namespace Cluster.Tests.Continual;

/// <summary><c>cluster append</c> and <c>cluster release</c>, and the API and the SDK below them.</summary>
[Collection(ConsoleTests.Name)]
public sealed class OrderVerbTests : IAsyncLifetime
{
    private readonly TestApi _api = new();
    private FakeJob _job = null!;

    public async Task InitializeAsync()
    {
        await _api.InitializeAsync();
        _job = _api.Cluster.Add("texts");
        (_job.Submission, _job.State) = (Some.Continual(), JobState.Running);
    }

    public Task DisposeAsync() => _api.DisposeAsync();

    private Task<ToolResult> ToolAsync(params string[] arguments) => Tool.RunHereAsync([.. arguments, "--cluster", _api.Client.Url.ToString()]);

    private string Stage(string text)
    {
        var path = Path.Combine(_api.Store, "stage.yaml");
        File.WriteAllText(path, text);
        return path;
    }

    [Fact]
    public async Task Append_sends_the_stage_with_what_was_recorded_of_its_data_and_says_when_it_is_part_of_the_job()
    {
        File.WriteAllText(Path.Combine(_api.Store, "b.txt"), "to be or not to be");
        var result = await ToolAsync("append", "texts", Stage(Some.Stage("b")));
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Equal(["order 1 of texts is stored: stage new", "stage new is part of texts since round 7: it begins after update 6 of the trunk"], result.Output.TrimEnd().Split('\n'));
        var sent = Assert.Single(_job.Taken);
        Assert.Contains("sha256: ", sent.Text, StringComparison.Ordinal);
        Assert.Contains("bytes: 18", sent.Text, StringComparison.Ordinal);
        Assert.Contains(_api.Store, sent.DataRoots);
    }

    [Fact]
    public async Task A_stage_that_is_wrong_is_refused_with_file_and_line_before_anything_is_sent()
    {
        var path = Stage("name: b\ndata: {kind: text, files: [b.txt]}\nupdates: 0\nmoment: reset\n");
        var result = await ToolAsync("append", "texts", path);
        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Contains($"{path}:3: continual.stages[1].updates: found \"0\"", result.Error, StringComparison.Ordinal);
        Assert.Contains($"{path}:4: continual.stages[1].moment: found", result.Error, StringComparison.Ordinal);
        Assert.Empty(_job.Orders);
        Assert.Contains("no such file", (await ToolAsync("append", "texts", path + "x")).Error, StringComparison.Ordinal);
    }

    /// <summary>Of <c>b.txt</c>, which has 18 bytes, and <c>empty.txt</c>; the job goes on as it was.</summary>
    [Theory]
    [InlineData("data: {kind: text, files: [empty.txt]}", "stage 'b': ", "empty.txt is empty")]
    [InlineData("data: {kind: text, files: [b.txt, empty.txt]}", "stage 'b': ", "empty.txt is empty")]
    [InlineData("data: {kind: text, files: [b.txt]}\nsha256: 0000000000000000000000000000000000000000000000000000000000000000", "stage 'b': the data changed since they were recorded", "b.txt now have 18 bytes")]
    [InlineData("data: {kind: text, files: [b.txt]}\nbytes: 19", "stage 'b': the data changed since they were recorded", "recorded were 19 bytes")]
    [InlineData("data: {kind: text, files: [b.txt]}\nmixture: {kind: shares, of: [{stage: a, share: 0.5}, {stage: b, share: 0.4}]}", "stage.yaml:4: continual.stages[1].mixture.of", "found shares that sum to 0.9, allowed: shares that sum to 1")]
    [InlineData("data: {kind: text, files: [b.txt]}\nrelease: {updates: 2, mixture: {kind: shares, of: [{stage: a, share: 0.7}, {stage: b, share: 0.4}]}}", "stage.yaml:4: continual.stages[1].release.mixture.of", "found shares that sum to 1.1")]
    public async Task A_stage_whose_data_or_shares_cannot_be_is_refused_before_anything_is_sent(string keys, string where, string message)
    {
        File.WriteAllText(Path.Combine(_api.Store, "b.txt"), "to be or not to be");
        File.WriteAllText(Path.Combine(_api.Store, "empty.txt"), "");
        var result = await ToolAsync("append", "texts", Stage($"name: b\nupdates: 2\n{keys}\n"));
        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Contains(where, result.Error, StringComparison.Ordinal);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        Assert.Empty(_job.Orders);
        Assert.Empty(_job.Taken);
        Assert.Equal(JobState.Running, _job.State);
    }

    [Fact]
    public async Task Release_says_what_was_asked_for_and_json_what_became_of_it()
    {
        var result = await ToolAsync("release", "texts", "week-1", "--steps", "20", "--at", "30", "--min", "1e-3", "--tail", "linear", "--mixture", "{kind: equal}", "--json");
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Equal("Release: name: \"week-1\"\nupdates: 20\nat: 30\nmin: 0.001\ntail: linear\nmixture: {kind: equal}\n", Assert.Single(_job.Orders));
        var order = JsonSerializer.Deserialize(result.Output, ApiJson.Default.JobOrder)!;
        Assert.Equal((OrderState.Taken, 7L, 6L), (order.State, order.Round, order.Update));
        Assert.Contains("\"state\":\"Taken\"", result.Output, StringComparison.Ordinal);
        Assert.Contains("order 1: release new is part of texts since round 7", (await ToolAsync("show", "texts")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_release_apart_is_asked_for_and_its_job_is_shown_beside_the_trunk()
    {
        var result = await ToolAsync("release", "texts", "week-1", "--apart", "--workers", "2");
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Equal("Release: name: \"week-1\"\nbranch: apart\nworkers: {min: 2}\n", Assert.Single(_job.Orders));
        Assert.Contains("workers for a release that anneals on those of the trunk", (await ToolAsync("release", "texts", "week-2", "--workers", "2")).Error, StringComparison.Ordinal);

        _job.Branches = [new("week-1", "texts.week-1", Refusal: null), new("soon", "texts.soon", Refusal: null), new("taken", "texts.taken", "choose another id")];
        var branch = _api.Cluster.Add("texts.week-1");
        (branch.Submission, branch.State) = (Some.Continual() with { Trunk = "texts" }, JobState.Failed);
        var shown = (await ToolAsync("show", "texts")).Output;
        foreach (var words in (string[])["Failed: as the test says, round 0/1000", "is about to be submitted", "was refused: choose another id"]) { Assert.Contains(words, shown, StringComparison.Ordinal); }
        Assert.Matches(@"trunk +texts", (await ToolAsync("show", "texts.week-1")).Output);
    }

    [Fact]
    public async Task Refusals_come_in_words()
    {
        var wrong = await ToolAsync("release", "texts", "a", "--min", "1");
        Assert.Equal(2, wrong.ExitCode);
        Assert.Contains("release:1: continual.releases[0].name: found \"a\", the name of another release", wrong.Error, StringComparison.Ordinal);
        Assert.Contains("release:2: continual.releases[0].min: found 1, above the rate of the trunk", wrong.Error, StringComparison.Ordinal);
        var shares = await ToolAsync("release", "texts", "b", "--mixture", "{kind: shares, of: [{stage: a, share: 0.9}]}");
        Assert.Equal(2, shares.ExitCode);
        Assert.Contains("mixture.of: found shares that sum to 0.9, allowed: shares that sum to 1", shares.Error, StringComparison.Ordinal);
        Assert.Empty(_job.Orders);

        _job.Refusal = "update 11 of the trunk is gone";
        var gone = await ToolAsync("release", "texts", "b", "--at", "11");
        Assert.Equal((2, "update 11 of the trunk is gone"), (gone.ExitCode, gone.Error.Trim()));
        Assert.Contains("there is no job other", (await ToolAsync("release", "other", "b")).Error, StringComparison.Ordinal);

        // Of a job that has ended, that it has comes first; its grain says so.
        (_job.State, _job.Refusal) = (JobState.Succeeded, "it is over");
        Assert.Equal("it is over", (await ToolAsync("release", "texts", "a")).Error.Trim());
    }

    [Fact]
    public async Task The_sdk_gets_the_order_that_was_stored()
    {
        var order = await _api.Client.AppendAsync("texts", new AppendRequest(Some.Stage("b"), ["/more"]), CancellationToken.None);
        Assert.Equal((1, OrderKind.Append, OrderState.Stored), (order.Number, order.Kind, order.State));
        var refusal = await Assert.ThrowsAsync<BadInputException>(() => _api.Client.AppendAsync("texts", new AppendRequest(Some.Stage("b"), ["more"]), CancellationToken.None));
        Assert.Contains("an absolute path is needed", refusal.Message, StringComparison.Ordinal);
    }
}
