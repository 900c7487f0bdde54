using Cluster.Contracts.Jobs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Cluster.Tests.Control;

/// <summary>Whole stories against a real silo: wiring, serialisation, storage, and that no two grains wait for each other.</summary>
public sealed class SiloTests : SiloFixture
{
    [Fact]
    public async Task Workers_register_make_ready_train_report_and_the_job_succeeds()
    {
        var (w0, w1) = (Worker("w0"), Worker("w1"));
        Assert.IsType<Directive.Idle>(await w0.Beat());
        await Submit("job");
        await Submit("job"); // Harmless.
        await Until("job", v => v is { State: JobState.Waiting, Reason: "waits for 2 idle workers: 1 of 1 are idle" });

        var assignments = await Task.WhenAll(w0.BeatUntilTraining("job"), w1.BeatUntilTraining("job"));
        Assert.Equal([(0, 1L), (1, 1L)], assignments.Select(a => (a.Rank, a.Generation)));
        Assert.Equal((32, "name: digits"), (assignments[0].Secret.Length, assignments[0].Submission.SpecText));
        Assert.Equal(assignments[0].Secret, assignments[1].Secret);
        Assert.Contains(assignments[0].Secret, b => b != 0);

        w0.Report = Some.Report("job", 100, outcome: Some.Succeeded(), samples: [Some.Sample(99, 0.1), Some.Sample(100, 0.2, loss: 0.5)]) with { Checkpoint = "ck" };
        w1.Report = Some.Report("job", 100, outcome: Some.Succeeded());
        Assert.IsType<Directive.Continue>(await w0.Beat());
        Assert.IsType<Directive.Idle>(await w1.Beat());

        var end = await End("job");
        Assert.Equal((JobState.Succeeded, 100, "ck", Some.Hash), (end.State, end.Round, end.Checkpoint, end.WeightsSha256));
        Assert.Equal([("w0", 0, 200L), ("w1", 1, 200L)], end.Workers.Select(w => (w.Id, w.Rank, w.LeavesComputed)));
        Assert.Equal((0.5, "test", 2), (end.Metrics["loss"], end.Environment["cpu"], end.Samples.Length));
        Assert.Equal([JobState.Waiting, JobState.Running, JobState.Succeeded], end.Events.Select(e => e.State).Distinct());
        await w0.BeatUntilIdle();
        Assert.All((await Pool.View()).Workers, w => Assert.Null(w.JobId));
        Assert.Equal(2, (await Job("job").Summary()).Submitted.Kind is DateTimeKind.Utc ? end.Submission!.MinWorkers : 0);
    }

    [Fact]
    public async Task One_failed_rank_ends_the_job_and_the_others_last_words_still_count()
    {
        var (w0, w1) = (Worker("w0"), Worker("w1"));
        await Start("job", max: 2, w0, w1);
        w1.Report = Some.Report("job", 7, outcome: Some.Failed("the disk is full"));
        Assert.IsType<Directive.Idle>(await w1.Beat());
        var end = await End("job");
        Assert.Equal((JobState.Failed, "worker w1 (rank 1) failed: the disk is full"), (end.State, end.Reason));

        // Rank 0 has not heard yet: what it brings is kept, and it is told to drop the job.
        w0.Report = Some.Report("job", 8, samples: [Some.Sample(8, 1)]) with { Checkpoint = "good" };
        Assert.IsType<Directive.Idle>(await w0.Beat());
        var view = await Job("job").View(0);
        Assert.Equal((JobState.Failed, end.Reason, "good", 8), (view.State, view.Reason, view.Checkpoint, view.Round));
    }

    [Fact]
    public async Task A_job_is_stopped_paused_and_resumed_by_people()
    {
        var (w0, w1) = (Worker("w0"), Worker("w1"));
        await Start("job", max: 2, w0, w1);
        Assert.Null(await Job("job").Pause("lunch"));
        await Task.WhenAll(w0.BeatUntilIdle(), w1.BeatUntilIdle());
        await Until("job", v => v is { State: JobState.Paused, Reason: "lunch" });

        Assert.Null(await Job("job").Resume());
        await Task.WhenAll(w0.BeatUntilTraining("job", 2), w1.BeatUntilTraining("job", 2));
        Assert.Null(await Job("job").Stop("enough"));
        await Task.WhenAll(w0.BeatUntilIdle(), w1.BeatUntilIdle());
        var end = await End("job");
        Assert.Equal((JobState.Cancelled, "enough"), (end.State, end.Reason));
        Assert.Equal("it cannot be paused: it is Cancelled", await Job("job").Pause("too late"));
    }

    [Fact]
    public async Task Two_jobs_queue_and_the_second_gets_the_workers_of_the_first()
    {
        var (w0, w1) = (Worker("w0"), Worker("w1"));
        await Start("first", max: 2, w0, w1);
        await Submit("second");
        await Job("first").Fail("worker process 7 exited");
        var assignments = await Task.WhenAll(w0.BeatUntilTraining("second"), w1.BeatUntilTraining("second"));
        Assert.Equal([0, 1], assignments.Select(a => a.Rank));
        Assert.Equal("worker process 7 exited", (await End("first")).Reason);
        Assert.Equal("second", Assert.Single((await Pool.View()).RunningJobs));
    }

    [Fact]
    public async Task A_waiting_job_that_is_stopped_leaves_the_queue()
    {
        await Submit("large", 5);
        await Until("large", v => v.Reason.StartsWith("waits for 5 idle", StringComparison.Ordinal));
        await Submit("small", 1);
        await Job("large").Stop("too large");
        await Worker("w0").BeatUntilTraining("small");
        Assert.Equal(JobState.Cancelled, (await End("large")).State);
    }

    [Fact]
    public async Task A_report_of_another_generation_is_answered_and_changes_nothing()
    {
        var (w0, w1) = (Worker("w0"), Worker("w1"));
        await Start("job", max: 2, w0, w1);
        w0.Report = Some.Report("job", 50, generation: 9, outcome: Some.Failed("from another life"));
        Assert.Equal(1, Assert.IsType<Directive.Train>(await w0.Beat()).Assignment.Generation);
        Assert.Equal(JobState.Running, (await Job("job").View(0)).State);
    }

    [Fact]
    public async Task A_bell_rings_when_the_job_has_news_and_when_the_pool_has()
    {
        var w0 = Worker("w0");
        await w0.Beat();
        await Submit("job", 1);
        await w0.Rung.WaitAsync(Deadline); // Placed.
        await w0.BeatUntilTraining("job");
        do { await w0.Beat(); } while (w0.Rung.IsCompleted); // Hints that nobody awaits may come late.
        await Job("job").Stop("enough");
        await w0.Rung.WaitAsync(Deadline);
        Assert.True(Assert.IsType<Directive.Continue>(await w0.Beat()).Stop);
    }

    [Fact]
    public async Task A_name_is_one_processs_until_its_lease_ends()
    {
        var (first, second) = (Worker("w0"), Worker("w0", process: 7));
        await Submit("job", 1);
        await first.BeatUntilTraining("job");
        Assert.StartsWith("another process holds the name w0: process 100", Assert.IsType<Directive.Idle>(await second.Beat()).Reason, StringComparison.Ordinal);
        await second.BeatUntilTraining("job", 2); // The first is silent from here on.
        var view = await Job("job").View(0);
        Assert.Equal([(0, 7)], view.Workers.Select(w => (w.Rank, w.ProcessId)));
        Assert.Equal(1, view.Recoveries);
    }

    [Fact]
    public async Task A_hundred_jobs_on_a_dozen_workers_all_end_and_no_two_grains_wait_for_each_other()
    {
        const int jobs = 100, workers = 12;
        var ended = Task.WhenAll(Enumerable.Range(0, jobs).Select(async j =>
        {
            await Submit($"job{j}", 1 + (j % 4), 4);
            return (await End($"job{j}")).State;
        }));
        await Task.WhenAll(Enumerable.Range(0, workers).Select(async i =>
        {
            var worker = Worker($"w{i}");
            worker.Compute = report => report with { Outcome = Some.Succeeded() };
            while (!ended.IsCompleted)
            {
                await worker.Beat();
                await Task.WhenAny(worker.Rung, Task.Delay(5, Deadline));
            }
        }));

        Assert.All(await ended, state => Assert.Equal(JobState.Succeeded, state));
        var index = await Silo.Grains.GetGrain<IJobIndexGrain>(IJobIndexGrain.Default).List(0, 500);
        Assert.Equal((100L, 100), (index.Total, index.Ids.Distinct().Count()));
        while ((await Pool.View()).RunningJobs is not [])
        {
            await Task.Delay(20, Deadline);
        }
    }

    [Fact]
    public async Task The_index_lists_jobs_newest_first_over_its_pages_and_each_once()
    {
        var index = Silo.Grains.GetGrain<IJobIndexGrain>("another");
        for (var i = 0; i < 700; i += 100)
        {
            var batch = Enumerable.Range(i, 100).ToArray();
            await Task.WhenAll(batch.Select(j => index.Add($"job{j}")));
            await Task.WhenAll(batch.Select(j => index.Add($"job{j}"))); // Retries.
        }

        var (first, rest) = (await index.List(0, 500), await index.List(500, 500));
        Assert.Equal((700L, 500, 200), (first.Total, first.Ids.Length, rest.Ids.Length));
        Assert.Equal(700, first.Ids.Concat(rest.Ids).Distinct().Count());
        Assert.True(first.Ids.IndexOf("job650") < first.Ids.IndexOf("job350"));
        Assert.Empty((await index.List(700, 10)).Ids);
    }

    [Fact]
    public async Task Refusals_reach_the_caller_in_words()
    {
        await Submit("job");
        Assert.Contains("job job was submitted before with another spec", (await Job("job").Submit(Some.Submission(7))).Refusal, StringComparison.Ordinal);
        Assert.Equal(JobState.Unknown, (await Job("nobody").View(0)).State);
        Assert.Equal("no such job was submitted", await Job("nobody").Stop("x"));
        Assert.False(await Pool.Drain("nobody"));
        await Assert.ThrowsAsync<ArgumentException>(() => Silo.Grains.GetGrain<IWorkerGrain>("w").Heartbeat(Some.Worker("v"), null, null!));
    }

    [Fact]
    public async Task A_client_in_another_process_does_the_same_through_the_gateway_and_hears_its_bell()
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.UseOrleansClient(c => c.UseStaticClustering(Silo.Gateway).Configure<Orleans.Configuration.ClusterOptions>(o =>
            (o.ClusterId, o.ServiceId) = (ClusterIdentity.ClusterId, ClusterIdentity.ServiceId)));
        using var host = builder.Build();
        await host.StartAsync(Deadline);
        var worker = new FakeWorker(host.Services.GetRequiredService<IGrainFactory>(), "w0");
        await worker.Beat();
        await Submit("job", 1);
        await worker.Rung.WaitAsync(Deadline);
        Assert.Equal(32, (await worker.BeatUntilTraining("job")).Secret.Length);
        worker.Report = Some.Report("job", 1, outcome: Some.Succeeded(), samples: [Some.Sample(1, 1)]);
        await worker.BeatUntilIdle();
        Assert.Equal(JobState.Succeeded, (await End("job")).State);
        await host.StopAsync(Deadline);
    }
}
