using Cluster.Contracts.Jobs;
using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Continual;
using Cluster.Grains.Jobs;

namespace Cluster.Tests.Control;

/// <summary>
/// What becomes of releases that anneal apart. The trunk has 40 updates; release early forks after update 10, and a with the last.
/// </summary>
public sealed class BranchesTests : SiloFixture
{
    private static JobSubmission Trunk(int workers = 1)
    {
        var text = Some.ContinualSpec.Replace("release: {updates: 5}", "release: {updates: 5, branch: apart, workers: {min: 2, max: 3}}", StringComparison.Ordinal) + "\n  releases: [{name: early, at: 10, updates: 3, branch: apart}]\n";
        var spec = SpecReader.Read(text, "spec.yaml").Require();
        return Some.Continual(workers) with { SpecText = SpecText.Write(spec), SpecHash = SpecHash.Of(spec) };
    }

    private static JobStory RunningTrunk(long round)
    {
        var story = new JobStory();
        story.State = JobMachine.Submit(story.State, Trunk(2), DateTime.UnixEpoch).State;
        story.Grant(Some.Workers(2)).AllReady().AllArrive();
        story.Round = round;
        return story;
    }

    private static ContinualPlan Plan(JobGrainState s) => ContinualPlan.Of(SpecReader.Read(s.Effective!.SpecText, "spec").Require().Continual!);

    private static JobGrainState Note(JobGrainState s, long round) => Branches.Note(s, "texts", Plan(s).Forks, round);

    [Fact]
    public void A_branch_is_noted_once_when_the_trunk_has_come_past_its_fork()
    {
        var s = RunningTrunk(10).State;
        Assert.Same(s, Note(s, 10)); // Its checkpoint may not be there yet.

        var noted = Note(s, 11);
        var branch = Assert.Single(noted.Branches);
        Assert.Equal(("early", "texts.early", true), (branch.Release, branch.JobId, noted.OwesBranches));
        Assert.Equal(
            ("/store/texts.early", "texts", 1, 1, false), (branch.Pending!.Directory, branch.Pending.Trunk, branch.Pending.MinWorkers, branch.Pending.MaxWorkers, branch.Pending.Resume));
        Assert.Equal("/store/texts/checkpoints/round-000000010", SpecReader.Read(branch.Pending.SpecText, "spec").Require().Continual!.BranchOf!.Checkpoint);
        Assert.Same(noted, Note(noted, 39));

        var known = Branches.Acknowledge(noted, new Dictionary<string, string?> { ["texts.early"] = null });
        Assert.False(known.OwesBranches);
        Assert.Same(known, Note(known, 39));
        Assert.Same(known, Branches.Acknowledge(known, new Dictionary<string, string?> { ["texts.early"] = null }));
        Assert.Equal("is taken", Branches.Acknowledge(noted, new Dictionary<string, string?> { ["texts.early"] = "is taken" }).Branches[0].Refusal);
    }

    /// <summary>Nothing is committed after the last update: there the end of the job says that the checkpoint is safe.</summary>
    [Fact]
    public void Where_the_trunk_ends_the_branch_begins_when_it_has_succeeded()
    {
        var story = RunningTrunk(40);
        Assert.Equal(["early"], Note(story.State, 40).Branches.Select(branch => branch.Release));
        var after = Note(story.AllEnd(Some.Succeeded()).State, 40);
        Assert.Equal([("early", 1, 1), ("a", 2, 3)], after.Branches.Select(branch => (branch.Release, branch.Pending!.MinWorkers, branch.Pending.MaxWorkers)));
    }

    [Theory]
    [InlineData("{name: now, updates: 2, branch: apart}", null, 12)]
    [InlineData("{name: later, at: 30, updates: 2, branch: apart}", null, 30)]
    [InlineData("{name: again, at: 10, updates: 2, branch: apart}", null, 10)] // The fork of early, which is kept.
    [InlineData("{name: gone, at: 11, updates: 2, branch: apart}", "update 11 of the trunk is gone: it has come to 12", 0)]
    public void A_release_apart_can_be_ordered_where_the_trunks_state_is_kept_or_yet_to_come(string release, string? refusal, long at)
    {
        var story = RunningTrunk(12).Release(release);
        Assert.StartsWith(refusal ?? "", story.Refusal ?? "", StringComparison.Ordinal);
        Assert.Equal(refusal is null, story.Refusal is null);
        story.AllStop();
        if (refusal is not null) { return; }
        Assert.Equal((OrderState.Taken, at, 40L), (story.State.Orders[0].State, story.State.Orders[0].Update, story.State.Orders[0].AgreesUntil));
        Assert.Equal(at < 12 ? ["early", "again"] : ["early"], Note(story.State, 12).Branches.Select(branch => branch.Release));
    }

    [Fact]
    public void A_branch_takes_no_orders_of_its_own()
    {
        var branch = Note(RunningTrunk(11).State, 11).Branches[0].Pending!;
        var s = JobMachine.Submit(new JobGrainState(), branch, DateTime.UnixEpoch).State;
        Assert.Equal(
            "it is the branch of release early, which ends with it; texts is the trunk",
            Orders.Accept(s, OrderKind.Release, "{name: r, updates: 2}", [], DateTime.UnixEpoch, round: 1).Refusal);
    }

    [Fact]
    public void A_stage_on_trial_is_no_part_of_a_branch()
    {
        var story = RunningTrunk(12).Append(Some.Stage("b")).AllStop();
        Assert.NotNull(story.State.Before);
        var branch = SpecReader.Read(Note(story.State, 12).Branches[0].Pending!.SpecText, "spec").Require();
        Assert.Equal(["a"], branch.Continual!.Stages.Select(stage => stage.Name));
    }

    [Fact]
    public async Task The_trunk_makes_a_job_of_each_and_what_becomes_of_them_is_theirs()
    {
        var (w0, w1) = (Worker("w0"), Worker("w1"));
        await w0.Beat();
        Assert.Null((await Job("texts").Submit(Trunk())).Refusal);
        await w0.BeatUntilTraining("texts");
        await w0.BeatUntil(worker => worker.Report!.Round > 11, "to come past the fork");

        // It waits for a worker of its own, and the trunk goes on.
        var waiting = await Until("texts.early", view => view.State is JobState.Waiting && view.Reason.StartsWith("waits for 1 idle", StringComparison.Ordinal));
        Assert.Equal("texts", waiting.Submission!.Trunk);
        var trunk = await Until("texts", view => view.Branches.Length == 1);
        Assert.Equal(new BranchView("early", "texts.early", Refusal: null), trunk.Branches[0]);
        Assert.Contains("release early anneals apart, as job texts.early", trunk.Events.Select(e => e.Text));

        await w1.BeatUntilTraining("texts.early");
        await w1.Beat();
        w1.Report = Some.Report("texts.early", 1, outcome: Some.Failed("the disk is full"));
        await w1.Beat();
        Assert.Equal("worker w1 (rank 0) failed: the disk is full", (await End("texts.early")).Reason);
        Assert.Equal(JobState.Running, (await Job("texts").View(0)).State);

        w0.Report = Some.Report("texts", 40, outcome: Some.Succeeded());
        await w0.Beat();
        Assert.Equal(JobState.Succeeded, (await End("texts")).State);
        await Until("texts.a", view => view.State is JobState.Waiting);
        Assert.Equal(["texts.a", "texts.early", "texts"], (await Silo.Grains.GetGrain<IJobIndexGrain>(IJobIndexGrain.Default).List(0, 10)).Ids.ToArray());
    }

    [Fact]
    public async Task An_id_that_another_job_has_is_no_harm_and_the_trunk_says_why()
    {
        await Submit("texts.early");
        var w0 = Worker("w0");
        await w0.Beat();
        Assert.Null(await Job("texts.early").Stop("out of the way"));
        Assert.Null((await Job("texts").Submit(Trunk())).Refusal);
        await w0.BeatUntilTraining("texts");
        await w0.BeatUntil(worker => worker.Report!.Round > 11, "to come past the fork");
        var known = Until("texts", view => view.Branches is [{ Refusal: not null }, ..]);
        while (!known.IsCompleted) { await w0.Beat(); }
        Assert.Contains("was submitted before with another spec", (await known).Branches[0].Refusal, StringComparison.Ordinal);
        Assert.Equal(JobState.Running, (await Job("texts").View(0)).State);
    }
}
