using Cluster.Client;
using Cluster.Contracts;
using Cluster.Contracts.Jobs;
using Cluster.Grains.Hosting;

namespace Cluster.Tests.Control;

/// <summary>Whole stories against a real silo: wiring, serialisation, storage, and that no two grains wait for each other.</summary>
public sealed class SiloTests : IAsyncLifetime, IDisposable
{
    private readonly CancellationTokenSource _deadline = new(TimeSpan.FromSeconds(30));
    private ClusterSilo _silo = null!;

    private JobClient Jobs => new(_silo.Grains);

    public async Task InitializeAsync() => _silo = await ClusterSilo.StartAsync(new(), _deadline.Token);

    public Task DisposeAsync() => _silo.DisposeAsync().AsTask();

    public void Dispose() => _deadline.Dispose();

    [Fact]
    public async Task Workers_register_train_report_and_the_job_succeeds()
    {
        var (w0, w1) = (Worker("w0"), Worker("w1"));
        Assert.IsType<Directive.Idle>(await w0.Beat());
        await Jobs.SubmitAsync("job", Some.Submission(workers: 2), _deadline.Token);
        await Jobs.SubmitAsync("job", Some.Submission(workers: 2), _deadline.Token);
        var waiting = await Jobs.ViewAsync("job", 0, _deadline.Token);
        Assert.Equal((JobState.Waiting, "waits for 2 idle workers: 1 of 1 are idle"), (waiting.State, waiting.Reason));

        var b = await w1.BeatUntil("job");
        var a = await w0.BeatUntil("job");
        Assert.Equal((0, 1, 1L), (a!.Rank, b!.Rank, a.Generation));
        Assert.Equal(32, a.Secret.Length);
        Assert.Equal(a.Secret, b.Secret);
        Assert.Equal("name: digits", a.Submission.SpecText);

        Assert.IsType<Directive.Train>(await w0.Beat(Some.Report("job", 0, 1, samples: [Some.Sample(1, 0.1)])));
        Assert.IsType<Directive.Train>(await w0.Beat(Some.Report("job", 0, 100, outcome: Some.Succeeded(), samples: [Some.Sample(2, 0.2, loss: 0.5)]) with { Checkpoint = "ck" }));
        Assert.IsType<Directive.Idle>(await w1.Beat(Some.Report("job", 1, 100, outcome: Some.Succeeded())));

        var end = await End("job");
        Assert.Equal((JobState.Succeeded, 100, "ck", Some.Hash), (end.State, end.Round, end.Checkpoint, end.WeightsSha256));
        Assert.Equal([("w0", 0, 200L), ("w1", 1, 200L)], end.Workers.Select(w => (w.Id, w.Rank, w.LeavesComputed)));
        Assert.Equal((0.5, "test"), (end.Metrics["loss"], end.Environment["cpu"]));
        await w0.BeatUntil(null);
        Assert.Equal(2, (await Pool.View()).Idle.Length);
    }

    [Fact]
    public async Task Watching_brings_every_sample_once_and_ends_with_the_job()
    {
        var w = Worker("w0");
        await Jobs.SubmitAsync("job", Some.Submission(workers: 1), _deadline.Token);
        await w.BeatUntil("job");
        await w.Beat(Some.Report("job", 0, 99, samples: [.. Enumerable.Range(1, 1200).Select(i => Some.Sample(i, i))]));
        await w.Beat(Some.Report("job", 0, 100, outcome: Some.Succeeded(), samples: [Some.Sample(1201, 1201)]));

        var rounds = new List<long>();
        var last = JobState.Unknown;
        await foreach (var view in Jobs.WatchAsync("job", _deadline.Token))
        {
            rounds.AddRange(view.Samples.Select(s => s.Round));
            last = view.State;
        }

        Assert.Equal(JobState.Succeeded, last);
        Assert.Equal(Enumerable.Range(1, 1201).Select(i => (long)i), rounds);
    }

    [Fact]
    public async Task One_failed_rank_ends_the_job_and_the_others_last_words_still_count()
    {
        var (w0, w1) = (Worker("w0"), Worker("w1"));
        await Start("job", w0, w1);
        Assert.IsType<Directive.Idle>(await w1.Beat(Some.Report("job", 1, 7, outcome: Some.Failed("the loss is NaN"))));
        var end = await End("job");
        Assert.Equal((JobState.Failed, "worker w1 (rank 1) failed: the loss is NaN"), (end.State, end.Reason));

        // Rank 0 has not heard yet: what it brings is kept, and it is told to drop the job.
        var late = Some.Report("job", 0, 8, outcome: Some.Failed("too"), samples: [Some.Sample(8, 1)]) with { Checkpoint = "good" };
        Assert.IsType<Directive.Idle>(await w0.Beat(late));
        var view = await Jobs.ViewAsync("job", 0, _deadline.Token);
        Assert.Equal((JobState.Failed, end.Reason, "good", 8), (view.State, view.Reason, view.Checkpoint, view.Round));
    }

    [Fact]
    public async Task A_stopped_job_ends_as_cancelled_once_its_workers_have()
    {
        var (w0, w1) = (Worker("w0"), Worker("w1"));
        await Start("job", w0, w1);
        await Jobs.StopAsync("job", "the user asked", _deadline.Token);

        Assert.True(Assert.IsType<Directive.Train>(await w0.Beat()).Stop);
        Assert.Equal(JobState.Stopping, (await Jobs.ViewAsync("job", 0, _deadline.Token)).State);
        await w0.Beat(Some.Report("job", 0, 3, outcome: Some.Cancelled()));
        await w1.Beat(Some.Report("job", 1, 3, outcome: Some.Cancelled()));
        var end = await End("job");
        Assert.Equal((JobState.Cancelled, "the user asked"), (end.State, end.Reason));
    }

    [Fact]
    public async Task Two_jobs_queue_and_the_second_gets_the_workers_of_the_first()
    {
        var (w0, w1) = (Worker("w0"), Worker("w1"));
        await Start("first", w0, w1);
        await Jobs.SubmitAsync("second", Some.Submission(workers: 2), _deadline.Token);
        Assert.Equal("first", (await w0.BeatUntil("first"))!.JobId);

        await Jobs.FailAsync("first", "worker process 7 exited", _deadline.Token);
        Assert.Equal("second", (await w0.BeatUntil("second"))!.JobId);
        Assert.Equal(1, (await w1.BeatUntil("second"))!.Rank);
        Assert.Equal("worker process 7 exited", (await End("first")).Reason);
        Assert.Equal("second", Assert.Single((await Pool.View()).RunningJobs));
    }

    [Fact]
    public async Task A_waiting_job_that_is_stopped_leaves_the_queue()
    {
        await Jobs.SubmitAsync("large", Some.Submission(workers: 5), _deadline.Token);
        await Jobs.SubmitAsync("small", Some.Submission(workers: 1), _deadline.Token);
        await Jobs.StopAsync("large", "too large", _deadline.Token);
        Assert.Equal("small", (await Worker("w0").BeatUntil("small"))!.JobId);
        Assert.Equal(JobState.Cancelled, (await End("large")).State);
    }

    [Fact]
    public async Task A_report_of_another_generation_is_answered_and_changes_nothing()
    {
        var (w0, w1) = (Worker("w0"), Worker("w1"));
        await Start("job", w0, w1);
        var stale = Some.Report("job", 0, 50, generation: 9, outcome: Some.Failed("from another life"), samples: [Some.Sample(1, 1)]);
        var answer = Assert.IsType<Directive.Train>(await w0.Beat(stale));
        Assert.Equal(1, answer.Assignment.Generation);

        var view = await Jobs.ViewAsync("job", 0, _deadline.Token);
        Assert.Equal((JobState.Running, 0, 0), (view.State, view.Round, view.Samples.Length));
    }

    [Fact]
    public async Task A_hundred_jobs_on_a_dozen_workers_all_end_and_no_two_grains_wait_for_each_other()
    {
        const int jobs = 100, workers = 12;
        var clients = Enumerable.Range(0, jobs).Select(async j =>
        {
            await Jobs.SubmitAsync($"job{j}", Some.Submission(workers: 1 + (j % 4)), _deadline.Token);
            return (await End($"job{j}")).State;
        }).ToArray();
        var ended = Task.WhenAll(clients);
        await Task.WhenAll(Enumerable.Range(0, workers).Select(async i =>
        {
            var worker = Worker($"w{i}");
            JobReport? report = null;
            while (!ended.IsCompleted)
            {
                report = await worker.Beat(report) is Directive.Train { Assignment: var a } ? Some.Report(a.JobId, a.Rank, 1, outcome: Some.Succeeded()) : null;
                await Task.Delay(5, _deadline.Token);
            }
        }));

        Assert.All(await ended, state => Assert.Equal(JobState.Succeeded, state));
        Assert.Empty((await Pool.View()).RunningJobs);
    }

    [Fact]
    public async Task Refusals_reach_the_caller_in_words()
    {
        await Jobs.SubmitAsync("job", Some.Submission(), _deadline.Token);
        var refused = await Assert.ThrowsAsync<BadInputException>(() => Jobs.SubmitAsync("job", Some.Submission(workers: 7), _deadline.Token));
        Assert.Contains("job job was submitted before with another spec", refused.Message, StringComparison.Ordinal);
        var unknown = await Assert.ThrowsAsync<BadInputException>(() => End("nobody"));
        Assert.Equal("there is no job nobody", unknown.Message);
        await Assert.ThrowsAsync<ArgumentException>(() => _silo.Grains.GetGrain<IWorkerGrain>("w").Heartbeat(Some.Worker("v"), null));
    }

    [Fact]
    public async Task A_client_in_another_process_does_the_same_through_the_gateway()
    {
        await using var connection = await ClusterConnection.ConnectAsync(_silo.Gateway, TimeSpan.FromSeconds(20), _deadline.Token);
        var jobs = new JobClient(connection.Grains);
        await jobs.SubmitAsync("job", Some.Submission(workers: 1), _deadline.Token);
        var worker = new FakeWorker(connection.Grains, "w0");
        var assignment = await worker.BeatUntil("job");
        Assert.Equal(32, assignment!.Secret.Length);
        await worker.Beat(Some.Report("job", 0, 1, outcome: Some.Succeeded(), samples: [Some.Sample(1, 1)]));
        Assert.Equal(JobState.Succeeded, (await jobs.ViewAsync("job", 0, _deadline.Token)).State);
    }

    private IPoolGrain Pool => _silo.Grains.GetGrain<IPoolGrain>(IPoolGrain.Default);

    private FakeWorker Worker(string id) => new(_silo.Grains, id);

    private async Task Start(string jobId, FakeWorker w0, FakeWorker w1)
    {
        await w0.Beat();
        await w1.Beat();
        await Jobs.SubmitAsync(jobId, Some.Submission(workers: 2), _deadline.Token);
        Assert.Equal(0, (await w0.BeatUntil(jobId))!.Rank);
        Assert.Equal(1, (await w1.BeatUntil(jobId))!.Rank);
    }

    private async Task<JobView> End(string jobId)
    {
        JobView? last = null;
        await foreach (var view in Jobs.WatchAsync(jobId, _deadline.Token))
        {
            last = view;
        }

        return last!;
    }
}
