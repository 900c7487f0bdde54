using Cluster.Contracts.Jobs;
using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Continual;

namespace Cluster.Tests.Control;

/// <summary>Stages and releases that are ordered while a continual job lives. Its trunk has 40 updates and a release of 5 at their end.</summary>
public sealed class OrdersTests
{
    private static JobStory At(long round, int workers = 2)
    {
        var story = JobStory.RunningContinual(workers);
        story.Round = round;
        return story;
    }

    private static ContinualSpec Spec(JobStory story) => SpecReader.Read(story.State.Effective!.SpecText, "spec").Require().Continual!;

    [Fact]
    public void A_running_job_stops_at_a_checkpoint_and_goes_on_with_the_longer_spec()
    {
        var story = At(12).Append(Some.Stage("b"));
        Assert.Equal((null, "order 1 is stored: stage b"), (story.Refusal, story.Reason));
        Assert.True(story.State.WantsStop);
        Assert.Equal(OrderState.Stored, story.State.Orders[0].State);

        story.End("w0", Some.Cancelled());
        Assert.Equal(JobState.Running, story.State.State);
        story.End("w1", Some.Cancelled());
        Assert.Equal((JobState.Waiting, false), (story.State.State, story.State.WantsStop));
        Assert.EndsWith("stage b is taken up after round 12: it begins after update 40", story.Reason, StringComparison.Ordinal);
        Assert.Equal(["a", "b"], Spec(story).Stages.Select(stage => stage.Name));
        Assert.Equal(["/data", "/more"], story.State.Effective!.DataRoots.ToArray());
        Assert.Equal((OrderState.Taken, 12L, 40L, 47L), (story.State.Orders[0].State, story.State.Orders[0].Round, story.State.Orders[0].Update, story.State.Orders[0].AgreesUntil));

        // Workers hold the job as it was: they begin anew, and only then count as ready.
        var old = Some.Report("job", 12, generation: 1) with { Outcome = Some.Cancelled() };
        Assert.Equal(1, Assert.IsType<Directive.Prepare>(story.DirectiveFor("w0", old)).Submission.Version);
        story.Hear("w0", old).Hear("w1", old);
        Assert.Equal(JobState.Waiting, story.State.State);
        story.AllReady();
        Assert.Equal((JobState.Running, 2L), (story.State.State, story.State.Generation));
        Assert.Equal(story.State.Effective, Assert.IsType<Directive.Train>(story.DirectiveFor("w0")).Assignment.Submission);
        Assert.Null(story.State.Before);
    }

    [Fact]
    public void A_release_forks_where_the_job_has_stopped_or_at_the_update_that_is_named()
    {
        var story = At(12).Release("name: now").Release("{name: later, at: 30, updates: 3}").Release("name: again");
        story.Round = 14; // The round under way was finished, and another one that had begun.
        story.AllStop();
        Assert.Equal([("now", 14L, 5L), ("later", 30L, 3L), ("again", 14L, 3L)], Spec(story).Releases.Select(release => (release.Name!, release.At!.Value, release.Updates)));
        Assert.Equal([14L, 37, 21], story.State.Orders.Select(order => order.AgreesUntil)); // Of two at one update, the later one comes second.
        Assert.Equal(1, story.State.Effective!.Version);
    }

    [Fact]
    public void Nothing_is_trained_before_its_first_update()
    {
        var story = JobStory.WaitingContinual().Release("name: first");
        Assert.Equal((OrderState.Taken, 1L), (story.State.Orders[0].State, story.State.Orders[0].Update));
    }

    [Theory]
    [InlineData("{name: a}", "\"a\", the name of another release")]
    [InlineData("{name: r, at: 12, updates: 2}", null)]
    [InlineData("{name: r, at: 11, updates: 2}", "update 11 of the trunk is gone: it has come to 12; allowed: 13 to 40, or no update for the next that comes")]
    [InlineData("{name: r, at: 41, updates: 2}", "release:1: continual.releases[0].at: found 41, after the last update of the trunk, allowed: a whole number from 1 to 40")]
    [InlineData("{name: r, update: 2}", "continual.releases[0].update: found")]
    [InlineData("", "release:1: found an empty file")]
    public void A_release_that_cannot_be_is_refused_in_words_before_it_is_stored(string release, string? reason)
    {
        var story = At(12).Release(release);
        if (reason is null) { Assert.Null(story.Refusal); }
        else { Assert.Contains(reason, story.Refusal, StringComparison.Ordinal); }
        Assert.Equal(reason is null ? 1 : 0, story.State.Orders.Length);
    }

    [Fact]
    public void All_that_is_wrong_with_a_stage_is_said_at_once()
    {
        var story = At(12).Append("name: b\ndata: {kind: text, files: [b.txt]}\nupdates: 0\nmixture: {kind: replay, share: 2}\n");
        Assert.Equal(2, story.Refusal!.Split('\n').Length);
        Assert.Contains("stage:3: continual.stages[1].updates: found \"0\"", story.Refusal, StringComparison.Ordinal);
        Assert.Contains("stage:4: continual.stages[1].mixture.share: found \"2\"", story.Refusal, StringComparison.Ordinal);
        Assert.Contains("stage:1: continual.stages[1].name: found \"a\", the name of an earlier stage", At(12).Append(Some.Stage("a")).Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Jobs_that_are_over_and_jobs_without_a_trunk_take_none()
    {
        Assert.Contains("it is over: it has Succeeded", At(47).AllEnd(Some.Succeeded()).Append(Some.Stage("b")).Refusal, StringComparison.Ordinal);
        Assert.Contains("it is over: it is Failed. Resume it first", At(5).Fail("somebody says so").Release("name: r").Refusal, StringComparison.Ordinal);
        Assert.Contains("it is about to end", At(5).Stop().Release("name: r").Refusal, StringComparison.Ordinal);
        Assert.Equal("no such job was submitted", new JobStory().Release("name: r").Refusal);

        var lamb = new JobStory();
        var spec = SpecReader.Read(Tests.Spec.SpecSamples.Digits, "spec.yaml").Require();
        lamb.State = Grains.Jobs.JobMachine.Submit(lamb.State, Some.Submission() with { SpecText = SpecText.Write(spec) }, DateTime.UnixEpoch).State;
        Assert.Contains("has no trunk: only continual jobs take stages and releases", lamb.Append(Some.Stage("b")).Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void An_update_that_is_gone_when_the_job_has_stopped_is_refused_then_and_the_job_goes_on()
    {
        var story = At(12).Release("{name: r, at: 13, updates: 2}");
        story.Round = 14;
        story.AllStop();
        Assert.Equal((JobState.Waiting, OrderState.Refused), (story.State.State, story.State.Orders[0].State));
        Assert.StartsWith("update 13 of the trunk is gone: it has come to 14", story.State.Orders[0].Reason, StringComparison.Ordinal);
        Assert.Null(story.State.Course);
        Assert.Equal(JobState.Running, story.AllReady().State.State);
    }

    [Fact]
    public void Orders_that_a_worker_cannot_take_up_are_taken_back_and_the_job_goes_on_as_it_was()
    {
        var story = At(12).Append(Some.Stage("b")).AllStop();
        story.Hear("w1", story.Says(generation: 0) with { IsReady = false, Outcome = Some.Failed("stage 'b': there is no file b.txt") });
        Assert.Equal((JobState.Waiting, OrderState.Refused), (story.State.State, story.State.Orders[0].State));
        Assert.Equal("worker w1 cannot take it up: stage 'b': there is no file b.txt", story.State.Orders[0].Reason);
        Assert.Equal((2L, "a"), (story.State.Effective!.Version, Assert.Single(Spec(story).Stages).Name));
        Assert.Empty(story.State.Effective.Orders);

        // Whoever was ready for what is no more begins anew; one that fails now fails the job.
        story.Hear("w0", story.Says(generation: 0) with { Version = 1 });
        Assert.Equal(JobState.Waiting, story.State.State);
        Assert.Equal(JobState.Running, story.AllReady().State.State);
        Assert.Null(story.Append(Some.Stage("b")).Refusal);
    }

    [Fact]
    public void Orders_that_were_proved_stay_when_others_are_taken_back()
    {
        var story = At(12).Append(Some.Stage("b")).AllStop().AllReady().AllArrive().Append(Some.Stage("c")).AllStop();
        story.Hear("w1", story.Says(generation: 0) with { IsReady = false, Outcome = Some.Failed("no c.txt") });
        Assert.Equal([OrderState.Taken, OrderState.Refused], story.State.Orders.Select(order => order.State));
        Assert.Equal(["a", "b"], Spec(story).Stages.Select(stage => stage.Name));
    }

    [Fact]
    public void While_a_stage_is_on_trial_the_orders_behind_it_wait()
    {
        var story = At(12).Release("name: r").Append(Some.Stage("b")).Append(Some.Stage("lost")).Release("name: q").AllStop();
        Assert.Equal([OrderState.Taken, OrderState.Taken, OrderState.Stored, OrderState.Stored], story.State.Orders.Select(order => order.State));
        story.AllReady();
        Assert.Equal((JobState.Running, true), (story.State.State, story.State.WantsStop)); // And at once to the next checkpoint.

        story.AllArrive().AllStop().Hear("w0", story.Says(generation: 0) with { IsReady = false, Outcome = Some.Failed("no lost.txt") });
        Assert.Equal([OrderState.Taken, OrderState.Taken, OrderState.Refused, OrderState.Taken], story.State.Orders.Select(order => order.State));
        Assert.Equal((JobState.Running, false), (story.AllReady().State.State, story.State.WantsStop));
    }

    [Fact]
    public void A_job_that_ends_before_it_could_stop_goes_on_with_what_was_ordered()
    {
        var story = At(46).Append(Some.Stage("b"));
        story.Round = 47;
        story.AllEnd(Some.Succeeded());
        Assert.Equal((JobState.Waiting, OrderState.Taken), (story.State.State, story.State.Orders[0].State));
        Assert.StartsWith("had come to its end, and goes on with what was ordered before", story.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_stage_that_goes_on_from_a_release_is_refused_once_that_release_was_left()
    {
        var from = "{name: b, data: {kind: text, files: [b.txt]}, updates: 5, from: a}";
        Assert.Null(At(46).Append(from).Refusal);
        Assert.StartsWith("the trunk has gone on from release a", At(47).Append(from).Refusal, StringComparison.Ordinal);
        Assert.StartsWith("the trunk has ended with update 40", At(47).Release("name: r").Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void A_paused_job_takes_orders_at_once_and_one_that_is_about_to_pause_when_it_has()
    {
        var story = At(12).Pause().AllStop().Append(Some.Stage("b"));
        Assert.Equal((JobState.Paused, OrderState.Taken), (story.State.State, story.State.Orders[0].State));

        story = At(12).Pause().Append(Some.Stage("b")).AllStop();
        Assert.Equal((JobState.Paused, OrderState.Taken), (story.State.State, story.State.Orders[0].State));

        // One that was stopped instead has not come to it; a person's resume does.
        story = At(12).Append(Some.Stage("b")).Stop().AllStop();
        Assert.Equal((JobState.Cancelled, OrderState.Stored), (story.State.State, story.State.Orders[0].State));
        story.Resume();
        Assert.Equal((JobState.Waiting, OrderState.Taken), (story.State.State, story.State.Orders[0].State));
    }

    [Fact]
    public void Whoever_is_lost_meanwhile_the_order_is_taken_up()
    {
        var story = At(12, workers: 3).Append(Some.Stage("b")).Silent("w1");
        Assert.Equal((JobState.Running, 2L, true), (story.State.State, story.State.Generation, story.State.WantsStop));
        story.AllArrive().Silent("w0", "w2");
        Assert.Equal((JobState.Waiting, OrderState.Taken), (story.State.State, story.State.Orders[0].State));
    }
}
