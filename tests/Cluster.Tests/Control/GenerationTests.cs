using Cluster.Contracts.Jobs;

namespace Cluster.Tests.Control;

/// <summary>Who computes together while nothing breaks: first members, joins and drains.</summary>
public sealed class GenerationTests
{
    [Fact]
    public void The_first_generation_begins_when_all_granted_workers_are_ready_with_ranks_in_the_order_granted()
    {
        var story = JobStory.Waiting(2).Grant("z", "a");
        Assert.IsType<Directive.Prepare>(story.DirectiveFor("z"));
        story.Ready("a");
        Assert.Equal(JobState.Waiting, story.State.State);
        Assert.IsType<Directive.Continue>(story.DirectiveFor("a", Some.Report("job", generation: 0)));

        story.Ready("z");
        Assert.Equal((JobState.Running, 1, false), (story.State.State, story.State.Generation, story.State.IsRecovery));
        var train = Assert.IsType<Directive.Train>(story.DirectiveFor("a", Some.Report("job", generation: 0)));
        Assert.Equal((1, 1, 2, "job", false), (train.Assignment.Generation, train.Assignment.Rank, train.Assignment.Members.Length, train.Assignment.JobId, train.Stop));
        Assert.IsType<Directive.Continue>(story.DirectiveFor("a", Some.Report("job", generation: 1)));
        Assert.IsType<Directive.Idle>(story.DirectiveFor("stranger"));
    }

    [Fact]
    public void A_worker_joins_when_it_is_ready_and_comes_after_those_that_have_the_state()
    {
        var story = JobStory.Running(2).Grant("new", "w0", "w1");
        Assert.Equal((1, 2), (story.State.Generation, story.State.Members.Length));
        story.Ready("new");
        Assert.Equal((2, false), (story.State.Generation, story.State.IsRecovery));
        Assert.Equal(["w0", "w1", "new"], story.Members);
        Assert.Equal("generation 2 has 3 workers: new joined", story.Reason);
    }

    [Fact]
    public void No_graceful_generation_replaces_another_before_every_member_has_arrived_in_it()
    {
        var story = JobStory.Running(2).Grant("w0", "w1", "w2", "w3").Ready("w2").Ready("w3");
        Assert.Equal((2, 3), (story.State.Generation, story.State.Members.Length));
        story.Arrive("w0").Arrive("w2");
        Assert.Equal(2, story.State.Generation);
        story.Arrive("w1");
        Assert.Equal((3, 4), (story.State.Generation, story.State.Members.Length));
    }

    [Fact]
    public void A_drained_worker_goes_on_until_all_ranks_have_changed_over()
    {
        var story = JobStory.Running(3).Grant("w0", "w2");
        Assert.Equal((2, false), (story.State.Generation, story.State.IsRecovery));
        Assert.Equal(["w0", "w2"], story.Members);
        var leaving = Some.Report("job", generation: 1);
        Assert.IsType<Directive.Continue>(story.DirectiveFor("w1", leaving));
        story.Arrive("w0");
        Assert.IsType<Directive.Continue>(story.DirectiveFor("w1", leaving));
        story.Arrive("w2");
        Assert.IsType<Directive.Idle>(story.DirectiveFor("w1", leaving));
    }

    [Fact]
    public void The_lowest_rank_leaves_and_the_next_takes_its_place()
    {
        var story = JobStory.Running(3).Grant("w1", "w2", "w3").Ready("w3");
        Assert.Equal(["w1", "w2"], story.Members);
        story.AllArrive();
        Assert.Equal(["w1", "w2", "w3"], story.Members);
    }

    [Fact]
    public void When_all_are_to_leave_they_end_at_a_checkpoint_and_the_job_waits()
    {
        var story = JobStory.Running(2).Grant();
        Assert.Equal("all its workers are to leave: they end at a checkpoint", story.State.Reason);
        Assert.True(Assert.IsType<Directive.Continue>(story.DirectiveFor("w0", Some.Report("job"))).Stop);
        story.AllEnd(Some.Cancelled());
        Assert.Equal((JobState.Waiting, 0, 1), (story.State.State, story.State.Members.Length, story.State.Generation));

        story.Grant("w7").AllReady();
        Assert.Equal((JobState.Running, 2, true), (story.State.State, story.State.Generation, story.State.IsRecovery));
    }

    [Fact]
    public void When_all_are_to_leave_and_others_are_ready_the_state_goes_from_hand_to_hand()
    {
        var story = JobStory.Running(1).Grant("new").Ready("new");
        Assert.Equal(["w0", "new"], story.Members);
        Assert.False(story.State.WantsStop);
        story.AllArrive();
        Assert.Equal(["new"], story.Members);
        Assert.False(story.State.IsRecovery);
    }

    [Fact]
    public void A_worker_that_is_taken_away_and_given_back_before_it_left_stays()
    {
        var story = JobStory.Running(1).Grant();
        Assert.True(story.State.WantsStop);
        story.Grant("w0");
        Assert.Equal((false, 1), (story.State.WantsStop, story.State.Generation));
    }

    [Fact]
    public void Nobody_joins_once_a_rank_has_ended_or_the_job_is_to_stop()
    {
        Assert.Equal(1, JobStory.Running(2).End("w0", Some.Succeeded()).Grant("w0", "w1", "w2").Ready("w2").State.Generation);
        Assert.Equal(1, JobStory.Running(2).Stop().Grant("w0", "w1", "w2").Ready("w2").State.Generation);
    }

    [Fact]
    public void A_grant_that_was_overtaken_by_a_newer_one_is_ignored()
    {
        var story = JobStory.Waiting(2).Grant(Some.Workers("w0", "w1"), version: 7);
        var before = story.State;
        Assert.Same(before, story.Grant(Some.Workers("w8", "w9"), version: 6).State);
        Assert.Same(before, story.Grant(Some.Workers("w8", "w9"), version: 7).State);
    }

    [Fact]
    public void A_worker_that_failed_in_an_earlier_life_of_the_job_begins_anew()
    {
        var story = JobStory.Running(1).End("w0", Some.Failed("the disk is full")).Resume().Grant("w0");
        var stale = Some.Report("job", outcome: Some.Failed("the disk is full"));
        story.Hear("w0", stale);
        Assert.Equal(JobState.Waiting, story.State.State);
        Assert.IsType<Directive.Idle>(story.DirectiveFor("w0", stale));
        Assert.IsType<Directive.Prepare>(story.DirectiveFor("w0"));
    }
}
