using System.Net;
using Cluster.Contracts;
using Cluster.Contracts.Jobs;

namespace Cluster.Tests.Api;

public sealed class JobRouteTests(TestApi api) : IClassFixture<TestApi>
{
    private static readonly CancellationToken s_none = CancellationToken.None;

    [Fact]
    public async Task A_job_is_shown_whole_and_without_samples()
    {
        api.Cluster.Add("shown").Reach(2);
        var job = await api.Client.ShowAsync("shown", s_none);
        Assert.Equal(("shown", JobState.Running, 2L), (job.JobId, job.State, job.Round));
        Assert.True(double.IsNaN(job.Metrics["loss"]));
        Assert.Empty(job.Samples);
        Assert.Equal("name: digits", job.Submission!.SpecText);
        Assert.Equal("it began", Assert.Single(job.Events).Text);
    }

    [Fact]
    public async Task Samples_come_in_pages_behind_the_number_asked_with()
    {
        api.Cluster.Add("sampled").Reach(700);
        var first = await api.Client.SamplesAsync("sampled", 0, s_none);
        Assert.Equal((500, 500L), (first.Samples.Length, first.Last));
        var second = await api.Client.SamplesAsync("sampled", first.Last, s_none);
        Assert.Equal((501L, 700L), (second.Samples[0].Round, second.Last));
    }

    [Fact]
    public async Task A_list_is_newest_first_and_goes_on_where_it_says()
    {
        await using var single = await OwnApi.StartAsync();
        var own = single.Api;
        for (var i = 0; i < 7; i++) { own.Cluster.Add($"job-{i}"); }
        var first = await own.Client.ListAsync(0, 3, null, s_none);
        Assert.Equal(["job-6", "job-5", "job-4"], first.Jobs.Select(j => j.JobId));
        Assert.Equal((7L, 3), (first.Total, first.Next));
        var last = await own.Client.ListAsync(6, 3, null, s_none);
        Assert.Equal("job-0", Assert.Single(last.Jobs).JobId);
        Assert.Null(last.Next);
        Assert.Empty((await own.Client.ListAsync(60, 3, null, s_none)).Jobs);
    }

    [Fact]
    public async Task A_state_selects_jobs_and_pages_together_show_each_once()
    {
        await using var single = await OwnApi.StartAsync();
        var own = single.Api;
        for (var i = 0; i < 2_100; i++) { own.Cluster.Add($"job-{i}", i % 700 == 3 ? JobState.Failed : JobState.Succeeded); }
        var found = new List<string>();
        for (int? next = 0; next is { } skip;)
        {
            var page = await own.Client.ListAsync(skip, 2, JobState.Failed, s_none);
            found.AddRange(page.Jobs.Select(j => j.JobId));
            next = page.Next;
        }

        Assert.Equal(["job-1403", "job-703", "job-3"], found);
    }

    [Fact]
    public async Task Orders_reach_the_job_with_their_reason()
    {
        var job = api.Cluster.Add("ordered");
        await api.Client.CancelAsync("ordered", "enough", s_none);
        await api.Client.PauseAsync("ordered", null, s_none);
        await api.Client.ResumeAsync("ordered", s_none);
        Assert.Equal(["stop: enough", "pause: paused by request", "resume"], job.Orders);
    }

    [Fact]
    public async Task An_order_that_is_refused_is_a_conflict_in_the_jobs_own_words()
    {
        api.Cluster.Add("done", JobState.Succeeded).Refusal = "it has succeeded";
        var problem = await TestApi.ProblemAsync(await api.PostAsync("jobs/done/pause", "{}"), HttpStatusCode.Conflict);
        Assert.Equal("it has succeeded", problem.Detail);
        Assert.Equal("it has succeeded", (await Assert.ThrowsAsync<BadInputException>(() => api.Client.CancelAsync("done", null, s_none))).Message);
    }

    [Theory]
    [InlineData("jobs/nobody")]
    [InlineData("jobs/nobody/samples")]
    [InlineData("jobs/nobody/events")]
    [InlineData("jobs/nobody/logs")]
    [InlineData("jobs/nobody/logs?follow=true")]
    [InlineData("jobs/nobody/checkpoints")]
    [InlineData("jobs/nobody/checkpoints/1/model.safetensors")]
    public async Task A_job_that_nobody_submitted_is_not_found(string path)
    {
        var problem = await TestApi.ProblemAsync(await api.Http.GetAsync(path), HttpStatusCode.NotFound);
        Assert.Equal("there is no job nobody", problem.Detail);
    }

    [Theory]
    [InlineData("cancel")]
    [InlineData("pause")]
    [InlineData("resume")]
    public async Task No_order_reaches_a_job_that_nobody_submitted(string order)
    {
        await TestApi.ProblemAsync(await api.PostAsync($"jobs/nobody-{order}/{order}", "{}"), HttpStatusCode.NotFound);
        Assert.Empty(api.Cluster.Job($"nobody-{order}").Orders);
    }

    [Theory]
    [InlineData("jobs/..%2F..%2Fetc")]
    [InlineData("jobs/%2e%2e%2fsecrets/logs")]
    [InlineData("jobs/.hidden")]
    [InlineData("jobs/a b/checkpoints")]
    [InlineData("jobs/-rf/events")]
    [InlineData("jobs/%C3%A4")]
    public async Task An_id_that_breaks_the_rule_is_refused(string path)
    {
        var problem = await TestApi.ProblemAsync(await api.Http.GetAsync(path), HttpStatusCode.BadRequest);
        Assert.Contains(Ids.Rule, problem.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("jobs?count=0", "count is 0; allowed: 1 to 500")]
    [InlineData("jobs?count=501", "count is 501")]
    [InlineData("jobs?skip=-1", "skip is -1")]
    [InlineData("jobs?state=broken", "allowed: Waiting, Running, Stopping")]
    [InlineData("jobs?state=2", "state is '2'")]
    [InlineData("jobs?count=many", "many")]
    [InlineData("jobs/shown/samples?after=-1", "after is -1")]
    public async Task A_query_that_is_not_allowed_is_refused_in_words(string path, string words)
    {
        var problem = await TestApi.ProblemAsync(await api.Http.GetAsync(path), HttpStatusCode.BadRequest);
        Assert.Contains(words, problem.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a", true)]
    [InlineData("worker-0.node_7", true)]
    [InlineData("", false)]
    [InlineData(".", false)]
    [InlineData("..", false)]
    [InlineData("-a", false)]
    [InlineData("a/b", false)]
    [InlineData("ä", false)]
    public void An_id_is_a_plain_file_name(string id, bool isValid) => Assert.Equal(isValid, Ids.IsValid(id));

    [Fact]
    public void An_id_has_at_most_128_characters()
    {
        Assert.True(Ids.IsValid(new string('a', 128)));
        Assert.False(Ids.IsValid(new string('a', 129)));
    }
}
