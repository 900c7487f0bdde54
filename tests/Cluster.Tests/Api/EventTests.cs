using System.Net;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Cluster.Contracts;
using Cluster.Contracts.Api;
using Cluster.Contracts.Jobs;
using Orleans.Runtime;

namespace Cluster.Tests.Api;

public sealed class EventTests : IAsyncLifetime
{
    private readonly TestApi _api = new();

    public Task InitializeAsync() => _api.InitializeAsync();

    public Task DisposeAsync() => _api.DisposeAsync();

    [Fact]
    public async Task A_stream_begins_with_a_ping_brings_every_sample_once_and_ends_with_the_job()
    {
        var job = _api.Cluster.Add("watched");
        job.Reach(700);
        job.State = JobState.Succeeded;
        var events = await ReadAsync("jobs/watched/events", null);
        Assert.Equal(ApiEvents.Ping, events[0].EventType);
        Assert.Equal(ApiEvents.End, events[^1].EventType);
        var views = events.Where(e => e.EventType == ApiEvents.Job).ToArray();
        Assert.Equal(["500", "700"], views.Select(e => e.EventId).Distinct());
        Assert.Equal(Enumerable.Range(1, 700).Select(r => (long)r), views.SelectMany(e => View(e).Samples).Select(s => s.Round));
        Assert.All(views, e => Assert.Null(View(e).Submission));
    }

    [Fact]
    public async Task A_stream_goes_on_behind_the_last_event_that_came()
    {
        var job = _api.Cluster.Add("resumed", JobState.Succeeded);
        job.Reach(10);
        var events = await ReadAsync("jobs/resumed/events", "7");
        Assert.Equal([8L, 9L, 10L], events.Where(e => e.EventType == ApiEvents.Job).SelectMany(e => View(e).Samples).Select(s => s.Round));
    }

    [Theory]
    [InlineData("jobs/wrong/events")]
    [InlineData("jobs/wrong/logs?follow=true")]
    public async Task An_event_id_that_is_none_of_the_streams_is_refused(string path)
    {
        _api.Cluster.Add("wrong");
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("Last-Event-ID", "third");
        await TestApi.ProblemAsync(await _api.Http.SendAsync(request), HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task The_sdk_watches_until_the_end()
    {
        var job = _api.Cluster.Add("live");
        job.Reach(1);
        var rounds = new List<long>();
        JobView? last = null;
        await foreach (var view in _api.Client.WatchAsync("live", Deadline.Token()))
        {
            rounds.AddRange(view.Samples.Select(s => s.Round));
            last = view;
            if (view.Round == 1) { job.Reach(3); }
            if (view.Round == 3) { job.State = JobState.Failed; }
        }

        Assert.Equal([1L, 2L, 3L], rounds);
        Assert.Equal(JobState.Failed, last!.State);
    }

    [Fact]
    public async Task The_sdk_goes_on_when_the_server_was_restarted_and_misses_nothing()
    {
        var job = _api.Cluster.Add("restarted");
        job.Reach(2);
        var rounds = new List<long>();
        await foreach (var view in _api.Client.WatchAsync("restarted", Deadline.Token()))
        {
            rounds.AddRange(view.Samples.Select(s => s.Round));
            if (view.Round == 2)
            {
                await _api.RestartAsync();
                job.Reach(5);
                job.State = JobState.Succeeded;
            }
        }

        Assert.Equal([1L, 2L, 3L, 4L, 5L], rounds);
    }

    [Fact]
    public async Task The_sdk_goes_on_when_the_control_plane_was_away()
    {
        var job = _api.Cluster.Add("away");
        job.Reach(2);
        var rounds = new List<long>();
        await foreach (var view in _api.Client.WatchAsync("away", Deadline.Token()))
        {
            rounds.AddRange(view.Samples.Select(s => s.Round));
            if (view.Round != 2) { continue; }
            _api.Cluster.Outage = new SiloUnavailableException("gone");
            _ = Task.Delay(TimeSpan.FromMilliseconds(900)).ContinueWith(_ =>
            {
                job.Reach(4);
                job.State = JobState.Succeeded;
                _api.Cluster.Outage = null;
            }, TaskScheduler.Default);
        }

        Assert.Equal([1L, 2L, 3L, 4L], rounds);
    }

    [Fact]
    public async Task A_job_that_is_not_there_is_said_before_the_stream_begins()
    {
        var refused = await Assert.ThrowsAsync<BadInputException>(async () => { await foreach (var _ in _api.Client.WatchAsync("nobody", Deadline.Token())) { } });
        Assert.Equal("there is no job nobody", refused.Message);
    }

    private async Task<List<SseItem<string>>> ReadAsync(string path, string? lastEventId)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (lastEventId is not null) { request.Headers.Add("Last-Event-ID", lastEventId); }
        using var response = await _api.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Deadline.Token());
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        var events = new List<SseItem<string>>();
        await foreach (var item in SseParser.Create(await response.Content.ReadAsStreamAsync()).EnumerateAsync(Deadline.Token())) { events.Add(item); }
        return events;
    }

    private static JobView View(SseItem<string> item) => JsonSerializer.Deserialize(item.Data, ApiJson.Default.JobView)!;
}
