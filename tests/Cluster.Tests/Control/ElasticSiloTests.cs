using Cluster.Contracts.Jobs;
using Orleans.Core.Internal;

namespace Cluster.Tests.Control;

/// <summary>Workers die, join and leave a running job: the control plane alone, with workers that only talk.</summary>
public sealed class ElasticSiloTests : SiloFixture
{
    [Fact]
    public async Task A_worker_that_falls_silent_is_lost_and_the_others_go_on_in_a_recovery_generation()
    {
        var (w0, w1, w2) = (Worker("w0"), Worker("w1"), Worker("w2"));
        await Start("job", max: 3, w0, w1, w2);
        await w1.Beat(); // Its first leaf; then it is silent.
        var assignments = await Task.WhenAll(w0.BeatUntilTraining("job", 2), w2.BeatUntilTraining("job", 2));

        Assert.All(assignments, a => Assert.True(a.IsRecovery));
        Assert.Equal(["w0", "w2"], assignments[0].Members.Select(m => m.Id));
        var view = await Job("job").View(0);
        Assert.Equal((JobState.Running, 1), (view.State, view.Recoveries));
        Assert.Contains(view.Events, e => e.Text == "generation 2 has 2 workers: w1 fell silent");
        Assert.Contains(view.Workers, w => w is { Id: "w1", Rank: -1 });

        // It was only slow: it drops what it has, is given to the job again, and joins without loss.
        await Task.WhenAll(w0.BeatUntilTraining("job", 3), w1.BeatUntilTraining("job", 3), w2.BeatUntilTraining("job", 3));
        Assert.Equal(["w0", "w2", "w1"], w1.Assignment!.Members.Select(m => m.Id));
        Assert.False(w1.Assignment.IsRecovery);
    }

    [Fact]
    public async Task A_silent_worker_whose_grain_came_up_anew_is_not_lost_before_that_has_listened_for_a_lease()
    {
        var (w0, w1) = (Worker("w0"), Worker("w1"));
        await Start("job", max: 2, w0, w1);
        var silent = System.Diagnostics.Stopwatch.StartNew();
        await w0.BeatUntil(_ => silent.Elapsed > ClusterTiming.Lease / 2, "more of that job");
        await Silo.Grains.GetGrain<IWorkerGrain>("w1").AsReference<IGrainManagementExtension>().DeactivateOnIdle(); // As when its silo died.
        var anew = System.Diagnostics.Stopwatch.StartNew();

        await w0.BeatUntilTraining("job", 2);
        Assert.Equal(["w0"], w0.Assignment!.Members.Select(m => m.Id));
        Assert.InRange(anew.Elapsed, ClusterTiming.Lease, TimeSpan.FromSeconds(15));
    }

    [Fact]
    public async Task A_worker_that_its_peers_lost_is_evicted_long_before_its_lease_ends()
    {
        var (w0, w1, w2) = (Worker("w0"), Worker("w1"), Worker("w2"));
        await Start("job", max: 3, w0, w1, w2);
        w0.Report = w0.Report! with { Fault = new("w1", "closed its connection") };
        w2.Report = w2.Report! with { Fault = new("w1", "closed its connection") };
        var clock = System.Diagnostics.Stopwatch.StartNew();
        await Task.WhenAll(w0.BeatUntilTraining("job", 2), w2.BeatUntilTraining("job", 2));
        Assert.Equal(["w0", "w2"], w0.Assignment!.Members.Select(m => m.Id));
        Assert.InRange(clock.Elapsed.TotalSeconds, 0.25, 2.5); // The grace, and room for a busy machine; the lease is 3 s.
    }

    [Fact]
    public async Task A_worker_that_was_suspected_and_lives_stays()
    {
        var (w0, w1) = (Worker("w0"), Worker("w1"));
        await Start("job", max: 2, w0, w1);
        w0.Report = w0.Report! with { Fault = new("w1", "closed its connection") };
        await w0.Beat();
        await w1.Rung.WaitAsync(Deadline);
        await Task.WhenAll(w0.BeatUntilTraining("job", 2), w1.BeatUntilTraining("job", 2));
        Assert.Equal(["w0", "w1"], w0.Assignment!.Members.Select(m => m.Id));
        Assert.True(w0.Assignment.IsRecovery);
    }

    [Fact]
    public async Task A_worker_joins_a_running_job_without_a_recovery()
    {
        var (w0, w1) = (Worker("w0"), Worker("w1"));
        await Start("job", max: 2, w0);
        await Task.WhenAll(w0.BeatUntilTraining("job", 2), w1.BeatUntilTraining("job", 2));
        Assert.Equal((1, false), (w1.Assignment!.Rank, w1.Assignment.IsRecovery));
        Assert.Equal(0, (await Job("job").View(0)).Recoveries);
    }

    [Fact]
    public async Task A_drained_worker_leaves_without_a_recovery_and_comes_back_when_it_is_undrained()
    {
        var (w0, w1) = (Worker("w0"), Worker("w1"));
        await Start("job", max: 2, w0, w1);
        Assert.True(await Pool.Drain("w0"));
        Assert.IsType<Directive.Continue>(await w0.Beat()); // The others have not changed over.
        await w1.BeatUntilTraining("job", 2);
        await Task.WhenAll(w0.BeatUntilIdle(), w1.Beat());
        Assert.Equal(("w1", false), (Assert.Single(w1.Assignment!.Members).Id, w1.Assignment.IsRecovery));
        Assert.Equal((true, null), (await Pool.View()).Workers.Where(w => w.Worker.Id == "w0").Select(w => (w.IsDraining, w.JobId)).Single());

        Assert.True(await Pool.Undrain("w0"));
        await Task.WhenAll(w0.BeatUntilTraining("job", 3), w1.BeatUntilTraining("job", 3));
        Assert.Equal(1, w0.Assignment!.Rank);
        Assert.Equal(0, (await Job("job").View(0)).Recoveries);
    }

    [Fact]
    public async Task When_the_last_worker_is_leaving_the_job_waits_at_a_checkpoint_for_another()
    {
        var w0 = Worker("w0");
        await Start("job", max: 1, w0);
        w0.Info = w0.Info with { IsLeaving = true };
        await w0.BeatUntilIdle();
        await Until("job", v => v.State is JobState.Waiting);
        await Worker("w1").BeatUntilTraining("job", 2);
        Assert.Equal(0, (await Job("job").View(0)).Recoveries);
    }

    [Fact]
    public async Task When_all_workers_are_lost_the_job_goes_on_by_itself_with_others()
    {
        var (w0, w1) = (Worker("w0"), Worker("w1"));
        await Start("job", max: 2, w0, w1);
        await Until("job", v => v.State is JobState.Waiting);
        var (w2, w3) = (Worker("w2"), Worker("w3"));
        await Task.WhenAll(w2.BeatUntilTraining("job", 2), w3.BeatUntilTraining("job", 2));
        Assert.True(w2.Assignment!.IsRecovery);
        w2.Report = w2.Report! with { Outcome = Some.Succeeded() };
        w3.Report = w3.Report! with { Outcome = Some.Succeeded() };
        await Task.WhenAll(w2.BeatUntilIdle(), w3.BeatUntilIdle());
        Assert.Equal(JobState.Succeeded, (await End("job")).State);
    }

    [Fact]
    public async Task Samples_are_acknowledged_when_they_are_stored()
    {
        var w0 = Worker("w0");
        await Start("job", max: 1, w0);
        w0.Compute = report => report with { Round = 40, Samples = [.. Enumerable.Range(1, 40).Select(i => Some.Sample(i, i))] };
        await w0.BeatUntil(w => w.Told is Directive.Continue { StoredRound: 39 }, "that its samples are safe");
        Assert.Equal(40, (await Job("job").View(0)).Samples.Length);
    }

    /// <summary>As after a crash of the silo between the last round and the end: the workers believe that it knows more than it does.</summary>
    [Fact]
    public async Task A_job_does_not_end_before_its_samples_are_told_again()
    {
        var w0 = Worker("w0");
        await Start("job", max: 1, w0);
        w0.Report = w0.Report! with { Round = 40, Outcome = Some.Succeeded(), SamplesAfter = 40 };
        Assert.Equal(0, Assert.IsType<Directive.Continue>(await w0.Beat()).AbsorbedRound);
        Assert.Equal(JobState.Running, (await Job("job").View(0)).State);

        w0.Report = w0.Report! with { SamplesAfter = 0, Samples = [.. Enumerable.Range(1, 40).Select(i => Some.Sample(i, i))] };
        Assert.IsType<Directive.Idle>(await w0.Beat());
        var view = await End("job");
        Assert.Equal((JobState.Succeeded, 40), (view.State, view.Samples.Length));
    }
}
