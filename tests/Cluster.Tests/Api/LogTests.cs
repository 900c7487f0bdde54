using System.Globalization;
using System.Net;
using Cluster.Contracts.Api;
using Cluster.Contracts.Jobs;
using Cluster.Dashboard.Jobs;

namespace Cluster.Tests.Api;

public sealed class LogTests(TestApi api) : IClassFixture<TestApi>
{
    private static readonly CancellationToken s_none = CancellationToken.None;

    [Fact]
    public async Task Lines_of_all_workers_come_in_order_or_those_of_one()
    {
        api.Cluster.Add("logged");
        api.Write("logged", "logs/worker-1.log", "c\r\n");
        api.Write("logged", "logs/worker-0.log", "a\n\nb");
        api.Write("logged", "logs/notes.txt", "not a log\n");
        Assert.Equal([("worker-0", "a"), ("worker-0", ""), ("worker-0", "b"), ("worker-1", "c")], (await api.Client.LogsAsync("logged", null, s_none)).Lines.Select(l => (l.Worker, l.Text)));
        Assert.Equal(["c"], (await api.Client.LogsAsync("logged", "worker-1", s_none)).Lines.Select(l => l.Text));
    }

    [Fact]
    public async Task A_job_without_logs_has_no_lines_and_a_worker_without_one_is_not_found()
    {
        api.Cluster.Add("silent");
        Assert.Empty((await api.Client.LogsAsync("silent", null, s_none)).Lines);
        await TestApi.ProblemAsync(await api.Http.GetAsync("jobs/silent/logs?worker=worker-9"), HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("..%2F..%2F..%2Fsecret")]
    [InlineData("../../secret")]
    [InlineData("*")]
    [InlineData("")]
    [InlineData("%2Fetc%2Fpasswd")]
    public async Task A_workers_name_cannot_lead_out_of_the_folder(string worker)
    {
        api.Cluster.Add("walled");
        await File.WriteAllTextAsync(Path.Combine(api.Store, "secret.log"), "secret\n");
        await TestApi.ProblemAsync(await api.Http.GetAsync($"jobs/walled/logs?worker={worker}"), HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Links_are_not_followed()
    {
        api.Cluster.Add("linked");
        api.Write("linked", "logs/worker-0.log", "mine\n");
        var secret = Path.Combine(api.Store, "outside.log");
        await File.WriteAllTextAsync(secret, "secret\n");
        File.CreateSymbolicLink(Path.Combine(api.Store, "jobs/linked/logs/worker-1.log"), secret);
        Assert.Equal(["mine"], (await api.Client.LogsAsync("linked", null, s_none)).Lines.Select(l => l.Text));
    }

    [Fact]
    public async Task A_long_log_shows_its_newest_whole_lines()
    {
        api.Cluster.Add("long");
        var lines = Enumerable.Range(0, 200_000).Select(i => i.ToString("D9", CultureInfo.InvariantCulture)).ToArray();
        api.Write("long", "logs/worker-0.log", string.Join('\n', lines) + "\n");
        var page = await api.Client.LogsAsync("long", null, s_none);
        Assert.True(page.IsTruncated);
        Assert.InRange(page.Lines.Length, (LogFolder.MaxBytes / 10) - 1, LogFolder.MaxBytes / 10);
        Assert.Equal(lines[^page.Lines.Length..], page.Lines.Select(l => l.Text));
    }

    [Fact]
    public async Task A_log_is_followed_line_by_line_until_the_job_has_ended()
    {
        var job = api.Cluster.Add("followed");
        var path = api.Write("followed", "logs/worker-0.log", "one\ntw");
        var seen = new List<string>();
        await foreach (var line in api.Client.FollowLogsAsync("followed", null, Deadline.Token()))
        {
            seen.Add(line.Text);
            if (line.Text == "one")
            {
                await File.AppendAllTextAsync(path, "o\nthree\nfo", s_none);
            }

            if (line.Text == "three") { job.State = JobState.Cancelled; }
        }

        Assert.Equal(["one", "two", "three", "fo"], seen);
    }

    [Fact]
    public async Task Following_goes_on_after_a_restart_of_the_server()
    {
        await using var single = await OwnApi.StartAsync();
        var own = single.Api;
        var job = own.Cluster.Add("followed");
        var path = own.Write("followed", "logs/worker-0.log", "one\n");
        var seen = new List<string>();
        await foreach (var line in own.Client.FollowLogsAsync("followed", "worker-0", Deadline.Token()))
        {
            seen.Add(line.Text);
            if (line.Text != "one") { continue; }
            await own.RestartAsync();
            await File.AppendAllTextAsync(path, "two\n", s_none);
            job.State = JobState.Succeeded;
        }

        Assert.Equal(["one", "two"], seen);
    }

    [Fact]
    public void A_cursor_is_read_back_as_it_was_written()
    {
        var cursor = LogCursor.Start.With("worker-1", 5).With("a.b_c", 7);
        Assert.Equal("a.b_c:7,worker-1:5", cursor.ToString());
        Assert.Equal(cursor.ToString(), LogCursor.Parse(cursor.ToString())!.ToString());
        Assert.Equal("", LogCursor.Parse("")!.ToString());
    }

    [Theory]
    [InlineData("worker-0")]
    [InlineData("worker-0:-1")]
    [InlineData("worker-0:1:2")]
    [InlineData("worker-0:99999999999999999999")]
    public void A_text_that_is_no_cursor_is_seen(string text) => Assert.Null(LogCursor.Parse(text));

    [Fact]
    public void A_line_longer_than_a_read_comes_in_pieces_and_a_log_begun_anew_from_its_start()
    {
        var path = api.Write("pieces", "logs/worker-0.log", new string('x', LogFolder.MaxBytes + 10) + "\n");
        var logs = new LogFolder(Path.GetDirectoryName(path)!, worker: null);
        var (first, cursor) = logs.Read(LogCursor.Start, isLast: false);
        var (second, end) = logs.Read(cursor, isLast: false);
        Assert.Equal((LogFolder.MaxBytes, 10), (Assert.Single(first).Text.Length, Assert.Single(second).Text.Length));
        Assert.Empty(logs.Read(end, isLast: true).Lines);

        File.WriteAllText(path, "anew\n");
        Assert.Equal("anew", Assert.Single(logs.Read(end, isLast: false).Lines).Text);
    }
}
