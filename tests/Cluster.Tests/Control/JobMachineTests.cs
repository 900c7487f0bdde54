using Cluster.Contracts.Jobs;
using Cluster.Grains.Jobs;

namespace Cluster.Tests.Control;

public sealed class JobMachineTests
{
    [Fact]
    public void A_submitted_job_waits_and_submitting_it_again_changes_nothing()
    {
        var waiting = JobMachine.Submit(new(), Some.Submission(workers: 2));
        Assert.Equal(JobState.Waiting, waiting.State.State);
        Assert.Equal("waits for 2 workers", waiting.Reason);

        Assert.Same(waiting.State, JobMachine.Submit(waiting.State, Some.Submission(workers: 2)).State);
    }

    [Fact]
    public void A_grant_starts_generation_1_with_ranks_in_the_order_granted()
    {
        var s = JobMachine.Grant(Some.Waiting(2), [Some.Worker("z"), Some.Worker("a")], Some.Secret).State;

        Assert.Equal((JobState.Running, 1), (s.State, s.Generation));
        Assert.Equal([0, 1, -1], new[] { s.RankOf("z"), s.RankOf("a"), s.RankOf("other") });
        var train = Assert.IsType<Directive.Train>(JobMachine.DirectiveFor(s, "job", "a"));
        Assert.False(train.Stop);
        Assert.Equal((1, 1, 2, "job"), (train.Assignment.Generation, train.Assignment.Rank, train.Assignment.Members.Length, train.Assignment.JobId));
        Assert.Equal(Some.Secret, train.Assignment.Secret);
    }

    [Fact]
    public void A_second_grant_changes_nothing_and_keeps_the_secret()
    {
        var s = Some.Running(2);
        Assert.Same(s, JobMachine.Grant(s, Some.Workers(2), [9]).State);
    }

    [Theory, InlineData(1), InlineData(3)]
    public void A_grant_of_too_few_or_too_many_workers_is_refused(int granted)
    {
        var s = Some.Waiting(2);
        var step = JobMachine.Grant(s, Some.Workers(granted), Some.Secret);
        Assert.Same(s, step.State);
        Assert.Equal($"refused {granted} workers: it wants 2, all at once", step.Reason);
    }

    [Fact]
    public void It_succeeds_when_all_ranks_ended_with_the_same_weights_and_not_before()
    {
        var first = JobMachine.End(Some.Running(2), 1, Some.Succeeded());
        Assert.Equal(JobState.Running, first.State.State);
        Assert.Equal("rank 1 ended as Succeeded, 1 of 2 go on", first.Reason);

        var second = JobMachine.End(first.State, 0, Some.Succeeded());
        Assert.Equal((JobState.Succeeded, "all 2 ranks ended with the same weights"), (second.State.State, second.Reason));
        Assert.Equal(Some.Hash, JobMachine.AgreedHash(second.State));
    }

    [Fact]
    public void A_rank_that_lost_a_peer_lets_it_say_what_happened()
    {
        var s = JobMachine.End(Some.Running(3), 1, Some.Failed("rank 0: closed its connection", lostPeer: 0)).State;
        Assert.Equal(JobState.Running, s.State);
        Assert.True(JobMachine.AwaitsReason(s));

        var end = JobMachine.End(s, 0, Some.Failed("the disk is full"));
        Assert.Equal((JobState.Failed, "worker w0 (rank 0) failed: the disk is full"), (end.State.State, end.Reason));
    }

    [Fact]
    public void A_lost_peer_that_stays_silent_is_itself_the_reason()
    {
        var s = JobMachine.End(Some.Running(3), 1, Some.Failed("rank 0: closed its connection", lostPeer: 0)).State;

        var end = JobMachine.StopAwaiting(s);
        Assert.Equal((JobState.Failed, "worker w1 (rank 1) failed: rank 0: closed its connection"), (end.State.State, end.Reason));
        Assert.Same(end.State, JobMachine.StopAwaiting(end.State).State);
    }

    [Fact]
    public void Ranks_that_all_lost_each_other_fail_the_job_at_once()
    {
        var s = JobMachine.End(Some.Running(2), 1, Some.Failed("rank 0: closed its connection", lostPeer: 0)).State;
        Assert.Equal(JobState.Failed, JobMachine.End(s, 0, Some.Failed("rank 1: closed its connection", lostPeer: 1)).State.State);
    }

    [Fact]
    public void A_repeated_outcome_counts_once_and_the_first_one_holds()
    {
        var s = JobMachine.End(Some.Running(2), 0, Some.Succeeded()).State;
        Assert.Same(s, JobMachine.End(s, 0, Some.Succeeded()).State);
        Assert.Same(s, JobMachine.End(s, 0, Some.Failed("late")).State);
    }

    [Fact]
    public void Ranks_that_disagree_on_the_weights_fail_the_job_by_name()
    {
        var s = JobMachine.End(Some.Running(3), 0, Some.Succeeded()).State;
        s = JobMachine.End(s, 1, Some.Succeeded()).State;
        var end = JobMachine.End(s, 2, Some.Succeeded(Some.OtherHash));

        Assert.Equal(JobState.Failed, end.State.State);
        Assert.Equal($"ranks disagree on the final weights: rank 0 (w0) has {Some.Hash}, rank 2 (w2) has {Some.OtherHash}", end.Reason);
        Assert.Null(JobMachine.AgreedHash(end.State));
    }

    [Fact]
    public void Success_without_saying_what_the_weights_are_fails_the_job()
    {
        var s = JobMachine.End(Some.Running(2), 0, Some.Succeeded()).State;
        var end = JobMachine.End(s, 1, Some.Succeeded(hash: null));
        Assert.Equal((JobState.Failed, "worker w1 (rank 1) did not say what its final weights are"), (end.State.State, end.Reason));
    }

    [Fact]
    public void One_failed_rank_fails_the_job_and_the_others_are_told_to_drop_it()
    {
        var end = JobMachine.End(Some.Running(2), 1, Some.Failed("the loss is NaN"));
        Assert.Equal((JobState.Failed, "worker w1 (rank 1) failed: the loss is NaN"), (end.State.State, end.Reason));
        var idle = Assert.IsType<Directive.Idle>(JobMachine.DirectiveFor(end.State, "job", "w0"));
        Assert.Equal("job job is Failed: worker w1 (rank 1) failed: the loss is NaN", idle.Reason);
    }

    [Fact]
    public void A_stopped_job_is_cancelled_when_all_its_ranks_have_ended()
    {
        var s = JobMachine.Stop(Some.Running(2), "the user asked").State;
        Assert.Equal(JobState.Stopping, s.State);
        Assert.True(Assert.IsType<Directive.Train>(JobMachine.DirectiveFor(s, "job", "w1")).Stop);

        s = JobMachine.End(s, 0, Some.Cancelled()).State;
        Assert.Equal(JobState.Stopping, s.State);
        s = JobMachine.End(s, 1, Some.Cancelled()).State;
        Assert.Equal((JobState.Cancelled, "the user asked"), (s.State, s.Reason));
    }

    [Fact]
    public void A_stop_that_comes_after_the_last_round_leaves_a_job_that_succeeded()
    {
        var s = JobMachine.End(Some.Running(2), 0, Some.Succeeded()).State;
        s = JobMachine.Stop(s, "too late").State;
        Assert.Equal(JobState.Succeeded, JobMachine.End(s, 1, Some.Succeeded()).State.State);
    }

    [Fact]
    public void Ranks_that_stopped_with_different_weights_fail_the_job()
    {
        var s = JobMachine.Stop(Some.Running(2), "the user asked").State;
        s = JobMachine.End(s, 0, Some.Cancelled()).State;
        Assert.Equal(JobState.Failed, JobMachine.End(s, 1, Some.Cancelled(Some.OtherHash)).State.State);
    }

    [Fact]
    public void A_job_stopped_while_it_waits_is_cancelled_at_once_and_takes_no_workers()
    {
        var s = JobMachine.Stop(Some.Waiting(2), "changed my mind").State;
        Assert.Equal((JobState.Cancelled, "stopped before it began: changed my mind"), (s.State, s.Reason));
        Assert.Same(s, JobMachine.Grant(s, Some.Workers(2), Some.Secret).State);
    }

    [Fact]
    public void A_job_can_be_failed_from_outside_until_it_has_ended()
    {
        Assert.Equal(JobState.Failed, JobMachine.Fail(Some.Waiting(1), "no disk").State.State);
        var failed = JobMachine.Fail(Some.Running(2), "worker process 12 exited").State;
        Assert.Equal((JobState.Failed, "worker process 12 exited"), (failed.State, failed.Reason));
        Assert.Same(failed, JobMachine.Fail(failed, "again").State);
        Assert.Same(failed, JobMachine.Stop(failed, "again").State);
        Assert.Same(failed, JobMachine.End(failed, 0, Some.Succeeded()).State);
    }

    [Fact]
    public void An_unknown_job_can_be_neither_stopped_nor_failed()
    {
        var unknown = new JobGrainState();
        Assert.Same(unknown, JobMachine.Stop(unknown, "x").State);
        Assert.Same(unknown, JobMachine.Fail(unknown, "x").State);
        Assert.IsType<Directive.Idle>(JobMachine.DirectiveFor(unknown, "job", "w0"));
    }

    [Theory]
    [InlineData("w0", 0, 1, true)]
    [InlineData("w0", 0, 0, false)]
    [InlineData("w0", 0, 2, false)]
    [InlineData("w0", 1, 1, false)]
    [InlineData("stranger", 0, 1, false)]
    [InlineData("stranger", -1, 1, false)]
    public void A_report_counts_only_from_a_member_of_this_generation_under_its_own_rank(string worker, int rank, long generation, bool counts) =>
        Assert.Equal(counts, JobMachine.IsCurrent(Some.Running(2), worker, Some.Report("job", rank, generation: generation)));

    [Fact]
    public void The_secret_shows_in_no_text()
    {
        var s = Some.Running(1);
        Assert.DoesNotContain("7", s.ToString() + JobMachine.DirectiveFor(s, "job", "w0"), StringComparison.Ordinal);
    }
}
