using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Continual;
using Cluster.Trainer.Methods.Continual;

namespace Cluster.Tests.Continual;

/// <summary>Releases that anneal in jobs of their own: what the trunk's plan has of them, and what their jobs are.</summary>
public sealed class ApartSpecTests
{
    private static ContinualPlan Plan(params string[] overrides) => ContinualPlan.Of(ContinualSamples.Read(overrides).Continual!);

    private static string[] Segments(ContinualPlan plan) =>
        [.. plan.Segments.Select(s => $"{s.Kind} {s.FirstRound}+{s.Rounds} after {s.Update} in {s.Stage}{(s.Release is null ? "" : $" {s.Release.Name}")}")];

    [Fact]
    public void The_trunks_plan_has_a_fork_and_no_rounds_for_a_release_apart()
    {
        var plan = Plan("continual.stages[0].release.branch=apart", "continual.releases[0].branch=apart", "continual.releases[0].workers={min: 2, max: 3}");
        Assert.Equal(
            ["Trunk 0+6 after 0 in 0", "Trunk 6+2 after 6 in 1", "Trunk 8+3 after 8 in 1", "Branch 11+4 after 11 in 1 digits", "Trunk 15+4 after 11 in 2"], Segments(plan));
        Assert.Equal(
            [("plays", 6L, 6L, 0, 1, null), ("digits-8", 8, 8, 1, 2, (int?)3)],
            plan.Forks.Select(fork => (fork.Release.Name, fork.Round, fork.Update, fork.Stage, fork.Workers.Min, fork.Workers.Max)));
    }

    [Fact]
    public void A_branchs_job_has_the_trunks_spec_and_the_plan_of_its_release_alone()
    {
        var trunk = ContinualSamples.Read(ContinualSamples.Apart);
        var fork = ContinualPlan.Of(trunk.Continual!).Forks.Single(fork => fork.Release.Name == "digits-8");
        var branch = BranchJobs.SpecOf(trunk, fork, "texts-1", "/store/jobs/texts-1");

        var plan = ContinualPlan.Of(branch.Continual!);
        Assert.Equal(["Branch 0+3 after 8 in 1 digits-8"], Segments(plan));
        Assert.Equal((fork, 0), (plan.BranchOf, plan.Forks.Length));
        Assert.Equal("/store/jobs/texts-1/checkpoints/round-000000008", branch.Continual!.BranchOf!.Checkpoint);
        Assert.Equal(branch, SpecReader.Read(SpecText.Write(branch), "written.yaml").Require());
        Assert.Equal(trunk.Continual, branch.Continual with { BranchOf = null });

        var lineage = new ContinualLineage(plan, branch.Continual, tokensPerUpdate: 10);
        Assert.Equal(
            ["Annealing 8+0 from 8 of texts-1", "Annealing 8+0 from 8 of texts-1", "Annealing 8+1 from 8 of texts-1", "Release 8+2 from 8 of texts-1"],
            Enumerable.Range(0, 4).Select(round => lineage.After(round)).Select(node => $"{node.Kind} {node.Step}+{node.BranchStep} from {node.Origin} of {node.OriginJob}"));
    }

    /// <summary>The number of its workers is no part of the answer; where it anneals is one of the plan, and so of what a checkpoint's round means.</summary>
    [Fact]
    public void The_hash_knows_where_a_release_anneals_and_not_on_how_many_workers()
    {
        string Hash(params string[] overrides) => SpecHash.Of(ContinualSamples.Read(overrides));
        const string apart = "continual.releases[0].branch=apart";
        Assert.NotEqual(Hash(), Hash(apart));
        Assert.Equal(Hash(apart), Hash(apart, "continual.releases[0].workers={min: 4}"));
    }

    [Fact]
    public void A_release_apart_changes_no_round_of_the_trunk()
    {
        var spec = ContinualSamples.WithReleases(8).Continual!;
        var longer = spec with { Releases = [.. spec.Releases, new ReleaseSpec { At = 3, Updates = 2, Branch = BranchPlace.Apart }] };
        Assert.Equal(ContinualPlan.Of(spec).Rounds, ContinualPlan.Agreement(spec, longer));
        Assert.True(ContinualPlan.Of(spec).HasMilestone(8));
        Assert.True(ContinualPlan.Of(spec).HasMilestone(11)); // The end of a stage.
        Assert.False(ContinualPlan.Of(spec).HasMilestone(9));
    }

    [Theory]
    [InlineData("continual.releases[0].workers={min: 2}", "releases[0].workers: found workers for a release that anneals on those of the trunk")]
    [InlineData("continual.releases[0]={at: 8, updates: 2, branch: apart, workers: {min: 3, max: 2}}", "releases[0].workers.max: found 2, below")]
    [InlineData("continual.stages[1]={name: digits, data: {kind: text, files: [digits/optdigits.tes]}, updates: 5, from: plays}", null, "which the trunk does not wait for")]
    [InlineData("continual.branchOf={job: texts-1, release: digits, checkpoint: c}", "branchOf.release: found \"digits\", which is no release with branch: apart", "plays")]
    [InlineData("continual.branchOf={job: ../texts, release: plays, checkpoint: c}", "branchOf.job: found \"../texts\"")]
    public void What_cannot_be_is_refused_in_words(string change, string? message, string? more = null)
    {
        var problems = string.Join('\n', SpecReader.Read(ContinualSamples.Yaml, "spec.yaml", ["continual.stages[0].release.branch=apart", change]).Problems);
        Assert.Contains(message ?? "", problems, StringComparison.Ordinal);
        Assert.Contains(more ?? "", problems, StringComparison.Ordinal);
        Assert.NotEqual("", problems);
    }

    [Fact]
    public void A_branchs_job_has_one_id_that_is_a_file_name_of_any_trunk()
    {
        Assert.Equal("texts-1.early", BranchJobs.IdOf("texts-1", "early"));
        Assert.Equal("/store/jobs/texts-1.early", BranchJobs.FolderOf("/store/jobs/texts-1/", "texts-1.early"));
        var (one, other) = (BranchJobs.IdOf(new string('t', 120), "early"), BranchJobs.IdOf(new string('t', 120), "later"));
        Assert.True(Ids.IsValid(one) && Ids.IsValid(other));
        Assert.NotEqual(one, other);
    }
}
