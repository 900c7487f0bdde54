using Cluster.Contracts.Jobs;
using Cluster.Grains.Jobs;

namespace Cluster.Tests.Control;

/// <summary>Beginnings, ends, and what people ask for. Generations: <see cref="GenerationTests"/> and <see cref="LossTests"/>.</summary>
public sealed class JobMachineTests
{
    [Fact]
    public void A_submitted_job_waits_and_submitting_it_again_changes_nothing()
    {
        var story = JobStory.Waiting(2);
        Assert.Equal((JobState.Waiting, "waits for 2 workers"), (story.State.State, story.State.Reason));
        var before = story.State;
        Assert.Same(before, story.Submit(2).State);
    }

    [Fact]
    public void It_succeeds_when_all_ranks_ended_with_the_same_weights_and_not_before()
    {
        var story = JobStory.Running(2).End("w1", Some.Succeeded());
        Assert.Equal((JobState.Running, "rank 1 ended as Succeeded, 1 of 2 go on"), (story.State.State, story.Reason));

        story.End("w0", Some.Succeeded());
        Assert.Equal((JobState.Succeeded, "all 2 ranks ended with the same weights"), (story.State.State, story.State.Reason));
        Assert.Equal(Some.Hash, JobMachine.AgreedHash(story.State));
    }

    [Fact]
    public void A_repeated_outcome_counts_once_and_the_first_one_holds()
    {
        var story = JobStory.Running(2).End("w0", Some.Succeeded());
        var before = story.State;
        Assert.Same(before, story.End("w0", Some.Succeeded()).State);
        Assert.Same(before, story.End("w0", Some.Failed("late", isShared: true)).State);
    }

    [Fact]
    public void Ranks_that_disagree_on_the_weights_fail_the_job_by_name()
    {
        var story = JobStory.Running(3).End("w0", Some.Succeeded()).End("w1", Some.Succeeded()).End("w2", Some.Succeeded(Some.OtherHash));
        Assert.Equal(JobState.Failed, story.State.State);
        Assert.Equal($"ranks disagree on the final weights: rank 0 (w0) has {Some.Hash}, rank 2 (w2) has {Some.OtherHash}", story.State.Reason);
        Assert.Null(JobMachine.AgreedHash(story.State));
    }

    [Fact]
    public void Success_without_saying_what_the_weights_are_fails_the_job()
    {
        var story = JobStory.Running(2).End("w0", Some.Succeeded()).End("w1", Some.Succeeded(hash: null));
        Assert.Equal((JobState.Failed, "worker w1 (rank 1) did not say what its final weights are"), (story.State.State, story.State.Reason));
    }

    [Fact]
    public void A_rank_that_failed_by_itself_ends_the_job_at_once_and_the_others_are_told_to_drop_it()
    {
        var story = JobStory.Running(2).End("w1", Some.Failed("the disk is full"));
        Assert.Equal((JobState.Failed, "worker w1 (rank 1) failed: the disk is full"), (story.State.State, story.State.Reason));
        var idle = Assert.IsType<Directive.Idle>(story.DirectiveFor("w0"));
        Assert.Equal("job job is Failed: worker w1 (rank 1) failed: the disk is full", idle.Reason);
    }

    [Fact]
    public void An_end_that_all_ranks_share_fails_the_job_when_the_last_has_come_to_it()
    {
        var story = JobStory.Running(2).End("w1", Some.Failed("the loss was not finite in 3 rounds in a row", isShared: true));
        Assert.Equal(JobState.Running, story.State.State);
        story.End("w0", Some.Failed("the loss was not finite in 3 rounds in a row", isShared: true));
        Assert.Equal((JobState.Failed, "the loss was not finite in 3 rounds in a row"), (story.State.State, story.State.Reason));
    }

    [Fact]
    public void A_worker_that_cannot_make_ready_fails_the_job_for_all()
    {
        var story = JobStory.Waiting(2).Grant("w0", "w1").Ready("w0");
        story.Hear("w1", Some.Report("job", generation: 0) with { IsReady = false, Outcome = Some.Failed("there is no file /data/digits") });
        Assert.Equal((JobState.Failed, "worker w1 cannot take the job up: there is no file /data/digits"), (story.State.State, story.State.Reason));
    }

    [Fact]
    public void A_stopped_job_is_cancelled_when_all_its_ranks_have_ended()
    {
        var story = JobStory.Running(2).Stop();
        Assert.Equal((JobState.Stopping, null), (story.State.State, story.Refusal));
        Assert.True(Assert.IsType<Directive.Continue>(story.DirectiveFor("w1", Some.Report("job"))).Stop);

        story.End("w0", Some.Cancelled());
        Assert.Equal(JobState.Stopping, story.State.State);
        story.End("w1", Some.Cancelled());
        Assert.Equal((JobState.Cancelled, "the user asked"), (story.State.State, story.State.Reason));
    }

    [Fact]
    public void A_stop_that_comes_after_the_last_round_leaves_a_job_that_succeeded() =>
        Assert.Equal(JobState.Succeeded, JobStory.Running(2).End("w0", Some.Succeeded()).Stop("too late").End("w1", Some.Succeeded()).State.State);

    [Fact]
    public void A_paused_job_gives_its_workers_back_and_goes_on_when_it_is_resumed()
    {
        var story = JobStory.Running(2).Pause().AllEnd(Some.Cancelled());
        Assert.Equal((JobState.Paused, 0, 0), (story.State.State, story.State.Members.Length, story.State.Granted.Length));
        Assert.IsType<Directive.Idle>(story.DirectiveFor("w0"));

        Assert.Null(story.Resume().Refusal);
        Assert.Equal((JobState.Waiting, "resumed: waits for 2 workers"), (story.State.State, story.State.Reason));
        story.Grant("w5").AllReady();
        Assert.Equal((JobState.Running, 2, true), (story.State.State, story.State.Generation, story.State.IsRecovery));
    }

    [Fact]
    public void A_pause_can_be_taken_back_before_the_workers_come_to_it() =>
        Assert.False(Assert.IsType<Directive.Continue>(JobStory.Running(2).Pause().Resume().DirectiveFor("w0", Some.Report("job"))).Stop);

    [Theory]
    [InlineData(JobState.Failed)]
    [InlineData(JobState.Cancelled)]
    public void A_job_that_ended_badly_can_be_resumed(JobState end)
    {
        var story = end is JobState.Failed ? JobStory.Running(2).Fail("no disk") : JobStory.Running(2).Stop().AllEnd(Some.Cancelled());
        Assert.Equal(end, story.State.State);
        Assert.Null(story.Resume().Refusal);
        Assert.Equal(JobState.Waiting, story.State.State);
    }

    [Fact]
    public void A_job_stopped_while_it_waits_is_cancelled_at_once_and_takes_no_workers()
    {
        var story = JobStory.Waiting(2).Stop("changed my mind");
        Assert.Equal((JobState.Cancelled, "stopped while it waited: changed my mind"), (story.State.State, story.State.Reason));
        var before = story.State;
        Assert.Same(before, story.Grant("w0", "w1").State);
    }

    [Fact]
    public void A_wish_that_cannot_be_is_refused_in_words()
    {
        Assert.Equal("no such job was submitted", new JobStory().Stop().Refusal);
        var done = JobStory.Running(1).AllEnd(Some.Succeeded());
        Assert.Equal("it cannot be stopped: it is Succeeded", done.Stop().Refusal);
        Assert.Equal("it cannot be paused: it is Succeeded", done.Pause().Refusal);
        Assert.Equal("it cannot be resumed: it is Succeeded", done.Resume().Refusal);
        Assert.Equal("it cannot be resumed: it is Stopping", JobStory.Running(1).Stop().Resume().Refusal);
    }

    [Fact]
    public void Asking_again_for_what_is_so_is_harmless()
    {
        Assert.Null(JobStory.Running(1).Stop().Stop("again").Refusal);
        Assert.Null(JobStory.Running(1).Pause().Pause("again").Refusal);
        Assert.Null(JobStory.Running(1).Resume().Refusal);
    }

    [Fact]
    public void A_job_can_be_failed_from_outside_until_it_has_ended()
    {
        Assert.Equal(JobState.Failed, JobStory.Waiting(1).Fail("no disk").State.State);
        var story = JobStory.Running(2).Fail("worker process 12 exited");
        Assert.Equal((JobState.Failed, "worker process 12 exited"), (story.State.State, story.State.Reason));
        var before = story.State;
        Assert.Same(before, story.Fail("again").State);
        Assert.Same(before, story.End("w0", Some.Succeeded()).State);
    }

    [Fact]
    public void The_secret_shows_in_no_text()
    {
        var s = JobStory.Running(1).State with { Secret = [77, 77, 77] };
        Assert.DoesNotContain("77", s.ToString() + JobDirectives.For(s, "job", Some.Worker("w0"), null, 0, 0), StringComparison.Ordinal);
    }
}
