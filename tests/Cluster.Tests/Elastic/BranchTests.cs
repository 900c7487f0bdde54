using Cluster.Contracts.Jobs;
using Cluster.Contracts.Lineage;
using Cluster.Tests.EndToEnd;
using Cluster.Trainer.Core.Checkpoints;
using Xunit.Abstractions;

namespace Cluster.Tests.Elastic;

/// <summary>
/// Releases that anneal in jobs of their own while the trunk goes on, with real processes: trunk and releases are the same bits as where
/// they take turns, whoever is killed.
/// </summary>
[Collection(EndToEndTests.Name)]
public sealed class BranchTests(ITestOutputHelper output)
{
    /// <summary>Three releases: within a stage and at the end of each.</summary>
    private const string Within = """
        name: branches
        method: continual
        model: { kind: gpt, layers: 1, width: 32, heads: 2, context: 32, dropout: 0.1 }
        batch: 24
        leaf: 5
        optimizer: { kind: adamw }
        continual:
          schedule: { kind: infinite, max: 5e-3, constant: 2e-3, min: 2e-4, warmupEnd: 5, cooldownEnd: 30 }
          stages:
            - name: plays
              data: { kind: text, files: [text/tinyshakespeare.txt] }
              updates: 700
              release: { updates: 30 }
            - name: prose
              data: { kind: text, files: [text/wilhelm-meister.txt] }
              updates: 500
              mixture: { kind: replay, share: 0.25 }
              moments: reset
              release: { updates: 20, mixture: { kind: equal } }
          releases:
            - { name: early, at: 20, updates: 80 }
        checkpoint: { everyRounds: 10, keep: 1 }
        evaluate: { samples: 64 }
        """;

    private static string Apart => Within.Replace("release: { updates: 30 }", "release: { updates: 30, branch: apart }", StringComparison.Ordinal)
        .Replace("mixture: { kind: equal } }", "mixture: { kind: equal }, branch: apart, workers: { min: 2 } }", StringComparison.Ordinal)
        .Replace("updates: 80 }", "updates: 80, branch: apart }", StringComparison.Ordinal);

    [Fact]
    public async Task Trunk_and_branches_go_on_at_the_same_time_and_are_the_bits_of_those_that_take_turns()
    {
        await using var cluster = await TestCluster.StartAsync(2);
        var turns = await cluster.UntilEndAsync(await cluster.SubmitAsync("turns", Within, 2, 2));
        var expected = Releases(turns);
        Assert.Equal(["early", "plays", "prose"], expected.Keys.Order());

        var trunk = await cluster.SubmitAsync("trunk", Apart, 1, 1);
        var early = cluster.Job("trunk.early");
        await cluster.UntilAsync(trunk, view => view.Round > 20, "the fork");
        cluster.KillSilo(); // Whether or not it had noted the branch.
        cluster.StartSilo();

        // Both compute, each on a worker of its own; then the branch's dies.
        var annealing = await cluster.UntilAsync(early, view => view.Round >= 25, "a branch at work");
        var meanwhile = await trunk.View(long.MaxValue);
        output.WriteLine($"the branch is {annealing.State} at round {annealing.Round} of {annealing.Rounds}, the trunk {meanwhile.State} at round {meanwhile.Round} of {meanwhile.Rounds}");
        Assert.Equal((JobState.Running, JobState.Running), (annealing.State, meanwhile.State));
        var (here, there) = (annealing.Workers.Single(w => w.Rank == 0).Id, meanwhile.Workers.Single(w => w.Rank == 0).Id);
        Assert.NotEqual(here, there);
        cluster.KillTrainer(here);
        cluster.AddTrainer();

        // A release that is ordered of the running trunk, from a state that it keeps; and one that is cancelled, which the trunk does not feel.
        Assert.Null((await trunk.Order(OrderKind.Release, "{name: again, at: 20, updates: 80, branch: apart}", [])).Refusal);
        Assert.Null((await trunk.Order(OrderKind.Release, "{name: unwanted, at: 20, updates: 80, branch: apart}", [])).Refusal);
        await cluster.UntilAsync(cluster.Job("trunk.unwanted"), view => view.State is not JobState.Unknown, "a job");
        Assert.Null(await cluster.Job("trunk.unwanted").Stop("nobody wants it"));

        var end = await cluster.UntilEndAsync(trunk);
        Assert.Equal(turns.WeightsSha256, end.WeightsSha256);
        foreach (var (release, name) in new[] { ("early", "early"), ("plays", "plays"), ("prose", "prose"), ("again", "early") })
        {
            var branch = await cluster.UntilEndAsync(cluster.Job($"trunk.{release}"));
            output.WriteLine($"{branch.JobId}: {branch.Generation} generations, {branch.Recoveries} recoveries, workers {string.Join(", ", branch.Workers.Select(w => w.Id))}, {branch.WeightsSha256}");
            Assert.Equal(expected[name].Weights, branch.WeightsSha256);
            Assert.Equal(expected[name].Weights, Releases(branch)[release].Weights);
            Assert.Equal(expected[name].Scores, Releases(branch)[release].Scores);
        }

        Assert.True((await early.View(long.MaxValue)).Generation > 1); // It was disturbed.
        Assert.Equal((JobState.Cancelled, "nobody wants it"), ((await cluster.Job("trunk.unwanted").View(0)) is var unwanted ? (unwanted.State, unwanted.Reason[^15..]) : default));
        Assert.Empty(Releases(end));
    }

    /// <summary>Weights and scores of the releases in a job's folder.</summary>
    private static Dictionary<string, (string Weights, string Scores)> Releases(JobView view) => (
        from place in CheckpointStore.List(view.Submission!.Directory)
        let manifest = Checkpoint.Open(place.Path).Manifest
        where manifest.Lineage is { Kind: NodeKind.Release }
        select (manifest.Lineage!.Release!, (manifest.WeightsSha256, string.Join(' ', manifest.Lineage.Scores!)))).ToDictionary();
}
