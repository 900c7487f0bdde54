using Cluster.Contracts.Jobs;
using Cluster.Grains.Jobs;

namespace Cluster.Tests.Control;

/// <summary>What breaks, and who goes on.</summary>
public sealed class LossTests
{
    [Fact]
    public void A_lost_worker_that_is_not_heard_of_is_evicted_and_the_others_go_on()
    {
        var story = JobStory.Running(3).Fault("w0", lost: "w1").Fault("w2", lost: "w1");
        Assert.Equal((1, "w1"), (story.State.Generation, Assert.Single(story.State.Suspects)));

        story.GraceEnds();
        Assert.Equal((2, true, 1), (story.State.Generation, story.State.IsRecovery, story.State.Recoveries));
        Assert.Equal(["w0", "w2"], story.Members);
        Assert.Equal("generation 2 has 2 workers: w0 lost w1: closed its connection", story.Reason);
        Assert.Equal("w1", Assert.Single(story.State.Returned).Id);
        Assert.DoesNotContain(story.State.Granted, g => g.Id == "w1");
        Assert.IsType<Directive.Idle>(story.DirectiveFor("w1", Some.Report("job")));
        Assert.True(Assert.IsType<Directive.Train>(story.DirectiveFor("w0", Some.Report("job"))).Assignment.IsRecovery);

        Assert.Empty(JobMachine.Acknowledge(story.State, [Some.Worker("w1")]).Returned);
    }

    [Fact]
    public void A_suspect_that_is_heard_of_stays_and_nobody_waits_for_the_end_of_the_grace()
    {
        var story = JobStory.Running(2).Fault("w0", lost: "w1").Hear("w1");
        Assert.Equal((2, true), (story.State.Generation, story.State.IsRecovery));
        Assert.Equal(["w0", "w1"], story.Members);
    }

    [Fact]
    public void A_member_that_told_of_the_loss_itself_is_no_suspect()
    {
        var story = JobStory.Running(3).Fault("w0", lost: "w1").Fault("w2", lost: "w0");
        Assert.Equal("w1", Assert.Single(story.State.Suspects));
        story.Fault("w1", lost: "w2");
        Assert.Equal((2, 3), (story.State.Generation, story.State.Members.Length));
    }

    [Theory, InlineData(null), InlineData("stranger")]
    public void A_fault_that_names_no_member_makes_a_recovery_generation_at_once(string? lost)
    {
        var story = JobStory.Running(2).Fault("w0", lost);
        Assert.Equal((2, 2), (story.State.Generation, story.State.Members.Length));
    }

    [Fact]
    public void A_fault_of_an_older_generation_changes_nothing()
    {
        var story = JobStory.Running(3).Fault("w0", lost: null).AllArrive();
        var before = story.State;
        Assert.Same(before, story.Fault("w1", lost: "w0", generation: 1).State);
        Assert.Same(before, story.End("w1", Some.Failed("too late"), generation: 1).State);
    }

    [Fact]
    public void Until_all_have_changed_over_the_generation_before_can_still_be_lost()
    {
        var story = JobStory.Running(3).Grant("w0", "w1").Arrive("w0");
        Assert.Equal((2, false), (story.State.Generation, story.State.IsRecovery));
        story.Fault("w1", lost: "w2", generation: 1).GraceEnds();
        Assert.Equal((3, true), (story.State.Generation, story.State.IsRecovery));
        Assert.Equal(["w0", "w1"], story.Members);
    }

    [Fact]
    public void A_worker_that_is_about_to_leave_stays_when_it_may_be_the_last_to_hold_the_state()
    {
        var story = JobStory.Running(2).Grant("w1", "w2");
        Assert.Equal(["w1"], story.Members);
        story.Silent("w1");
        Assert.Equal((3, true), (story.State.Generation, story.State.IsRecovery));
        Assert.Equal(["w0"], story.Members);
        story.AllArrive().Ready("w2");
        Assert.Equal(["w0", "w2"], story.Members);
        story.AllArrive();
        Assert.Equal(["w2"], story.Members);
    }

    [Fact]
    public void Silent_workers_are_lost_together()
    {
        var story = JobStory.Running(4).Silent("w1", "w3");
        Assert.Equal((2, 1), (story.State.Generation, story.State.Recoveries));
        Assert.Equal(["w0", "w2"], story.Members);
        Assert.Equal(["w1", "w3"], story.State.Returned.Select(r => r.Id));
    }

    [Fact]
    public void A_worker_that_falls_silent_before_it_joined_takes_nothing_with_it()
    {
        var story = JobStory.Waiting(2).Grant("w0", "w1").Ready("w0").Silent("w1");
        Assert.Equal((JobState.Running, 0), (story.State.State, story.State.Recoveries));
        Assert.Equal(["w0"], story.Members);
    }

    [Fact]
    public void When_all_are_lost_the_job_waits_and_goes_on_by_itself()
    {
        var story = JobStory.Running(2).Silent("w0", "w1");
        Assert.Equal((JobState.Waiting, 1), (story.State.State, story.State.Recoveries));
        Assert.Equal("all its workers were lost (w0, w1 fell silent): it goes on from its newest checkpoint when there are others", story.State.Reason);
        story.Grant("w2").AllReady().AllArrive().AllEnd(Some.Succeeded());
        Assert.Equal(JobState.Succeeded, story.State.State);
    }

    [Theory]
    [InlineData(true, JobState.Cancelled)]
    [InlineData(false, JobState.Paused)]
    public void When_all_are_lost_on_the_way_to_a_stop_it_is_stopped(bool stop, JobState end)
    {
        var story = JobStory.Running(1);
        Assert.Equal(end, (stop ? story.Stop() : story.Pause()).Silent("w0").State.State);
    }

    [Fact]
    public void Another_process_under_a_members_name_means_that_the_member_is_lost()
    {
        var story = JobStory.Running(2).Grant([Some.Worker("w0"), Some.Worker("w1", process: 7)]);
        Assert.Equal((2, true), (story.State.Generation, story.State.IsRecovery));
        Assert.Equal(["w0"], story.Members);
        Assert.Empty(story.State.Returned); // The pool knows better than we do.
        story.AllArrive().Ready("w1");
        Assert.Equal([100, 7], story.State.Members.Select(m => m.ProcessId));
    }

    [Fact]
    public void A_rank_that_reported_success_and_died_is_not_needed_and_the_others_report_again()
    {
        var story = JobStory.Running(2).End("w1", Some.Succeeded()).Silent("w1");
        Assert.Equal((2, null), (story.State.Generation, Assert.Single(story.State.Outcomes)));
        Assert.Equal(JobState.Succeeded, story.AllArrive().AllEnd(Some.Succeeded()).State.State);
    }

    [Fact]
    public void Ready_workers_join_in_a_recovery()
    {
        var story = JobStory.Running(2).Grant("w0", "w1", "w2").End("w0", Some.Succeeded()).Ready("w2").Silent("w1");
        Assert.Equal(["w0", "w2"], story.Members);
    }

    [Fact]
    public void Ten_generations_lost_without_a_round_between_them_fail_the_job()
    {
        var story = JobStory.Running(2);
        story.Round = 17;
        for (var i = 0; i < Generations.MaxLostInARow - 1; i++)
        {
            story.Fault("w0", lost: null).AllArrive();
        }

        Assert.Equal((JobState.Running, 10, 9), (story.State.State, story.State.Generation, story.State.LostInARow));
        story.Fault("w1", lost: null);
        Assert.Equal(JobState.Failed, story.State.State);
        Assert.Equal("10 generations in a row were lost after round 17; the last one because w1 lost a peer: closed its connection", story.State.Reason);
        Assert.Equal(0, story.Resume().State.LostInARow);
    }

    [Fact]
    public void A_worker_that_lives_and_that_no_peer_reaches_is_left_out_and_the_others_go_on()
    {
        var story = JobStory.Running(3);
        for (var i = 0; i < Generations.MaxLostToTheLiving; i++)
        {
            Assert.Equal(["w0", "w1", "w2"], story.Members);
            story.Fault("w0", lost: "w1").Fault("w2", lost: "w1").Fault("w1", lost: "w0").AllArrive();
        }

        Assert.Equal((JobState.Running, 4, 3), (story.State.State, story.State.Generation, story.State.Recoveries));
        Assert.Equal(["w0", "w2"], story.Members);
        Assert.Equal(("w1", 0), (Assert.Single(story.State.Unreached).Id, story.State.Returned.Length));
        Assert.IsType<Directive.Idle>(story.DirectiveFor("w1", Some.Report("job")));

        story.Grant("w0", "w1", "w2").Ready("w1");
        Assert.Equal(["w0", "w2"], story.Members); // A grant from before the pool knew.
        Assert.Empty(JobMachine.Acknowledge(story.State, [Some.Worker("w1")]).Unreached);
    }

    [Fact]
    public void Of_two_that_do_not_reach_each_other_the_one_that_came_last_is_left_out()
    {
        var story = JobStory.Running(2);
        for (var i = 0; i < Generations.MaxLostToTheLiving; i++)
        {
            story.Fault("w0", lost: "w1").Fault("w1", lost: "w0").AllArrive();
        }

        Assert.Equal(["w0"], story.Members);
    }

    [Fact]
    public void Nobody_is_left_out_while_rounds_are_committed_or_for_another_state()
    {
        var story = JobStory.Running(2);
        for (var i = 0; i < 20; i++)
        {
            story.Round = i;
            story.Fault("w0", lost: "w1").Fault("w1", lost: "w0").AllArrive();
        }

        for (var i = 0; i < 5; i++)
        {
            story.Hear("w0", Some.Report("job", story.Round, story.State.Generation) with { Fault = new("w1", "has another hash", MayGoOnWithout: false) });
            story.Hear("w1").AllArrive();
        }

        Assert.Equal((2, 6), (story.Members.Length, story.State.LostInARow));
    }

    [Fact]
    public void A_committed_round_starts_the_count_again()
    {
        var story = JobStory.Running(2);
        for (var i = 0; i < 50; i++)
        {
            story.Round = i / 5;
            story.Fault("w0", lost: null).AllArrive();
        }

        Assert.Equal((JobState.Running, 50, 5), (story.State.State, story.State.Recoveries, story.State.LostInARow));
    }

    [Fact]
    public void A_restart_of_the_silo_forgets_who_had_arrived_and_hears_it_again()
    {
        var story = JobStory.Running(2).Grant("w0", "w1", "w2").Ready("w2").Arrive("w0");
        story.State = story.State with { Ready = [], Arrived = [] };
        story.Arrive("w1").Arrive("w2");
        Assert.False(story.State.IsSettled);
        story.Arrive("w0");
        Assert.True(story.State.IsSettled);
    }
}
