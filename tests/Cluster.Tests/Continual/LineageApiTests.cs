using System.Collections.Immutable;
using System.Text.Json;
using Cluster.Contracts;
using Cluster.Contracts.Lineage;
using Cluster.Contracts.Spec;
using Cluster.Tests.Api;
using Cluster.Tests.Checkpoints;
using Cluster.Tests.EndToEnd;
using Cluster.Trainer.Core.Checkpoints;

namespace Cluster.Tests.Continual;

/// <summary>Lineage from a job's folder, through the API and the verb.</summary>
[Collection(ConsoleTests.Name)]
public sealed class LineageApiTests : IAsyncLifetime
{
    private readonly TestApi _api = new();

    public async Task InitializeAsync()
    {
        await _api.InitializeAsync();
        _api.Cluster.Add("job");
        _api.Cluster.Add("plain");
    }

    public Task DisposeAsync() => _api.DisposeAsync();

    private static LineageNode Node(NodeKind kind, long step, long branch, long? origin, double loss) => new(
        kind, "plays", kind is NodeKind.Release or NodeKind.Annealing ? "plays" : null, step, branch, 100 * (step + branch), IsStageEnd: step == 6, origin)
    {
        Scores = ImmutableSortedDictionary<string, SetScore>.Empty.Add("plays", new SetScore(loss, 0.25, 10)).Add("digits", new SetScore(double.NaN, 0, 10)),
    };

    /// <summary>A job's folder with a trunk, a branch, and evaluations of which the last line was cut off.</summary>
    private CheckpointFixture Job()
    {
        var job = new CheckpointFixture { JobDirectory = Directory.CreateDirectory(Path.Combine(_api.Store, "jobs", "job")).FullName };
        File.WriteAllText(Path.Combine(job.JobDirectory, JobLayout.Spec), SpecText.Write(ContinualSamples.Read()));
        using (var writer = job.Open(keep: 1))
        {
            (long Round, LineageNode Node)[] nodes =
            [
                (2, Node(NodeKind.Trunk, 2, 0, null, 4)), (4, Node(NodeKind.Trunk, 4, 0, null, 4)), (6, Node(NodeKind.PreAnneal, 6, 0, null, 3)),
                (8, Node(NodeKind.Annealing, 6, 1, 6, 2)), (10, Node(NodeKind.Release, 6, 3, 6, 2)), (12, Node(NodeKind.Trunk, 7, 0, 6, 3)), (14, Node(NodeKind.Trunk, 9, 0, 6, 3)),
            ];
            foreach (var (round, node) in nodes) { writer.Save(CheckpointFixture.State((int)round), round, 64 * round, node); }
        }

        var lines = (EvaluationRecord[])
        [
            new(0, 0, Node(NodeKind.Trunk, 0, 0, null, 5.5), Node(NodeKind.Trunk, 0, 0, null, 5.5).Scores!),
            new(6, 384, Node(NodeKind.PreAnneal, 6, 0, null, 3), Node(NodeKind.PreAnneal, 6, 0, null, 3).Scores!),
            new(10, 640, Node(NodeKind.Release, 6, 3, 6, 2), Node(NodeKind.Release, 6, 3, 6, 2).Scores!),
        ];
        File.WriteAllText(
            Path.Combine(job.JobDirectory, JobLayout.Evaluations),
            string.Concat(lines.Select(line => JsonSerializer.Serialize(line, LineageJson.Default.EvaluationRecord) + '\n')) + "{\"round\": 12, \"sam");
        return job;
    }

    /// <summary>keep: 1 deletes what is neither the newest, nor a milestone, nor a place where a line began.</summary>
    [Fact]
    public async Task A_lineage_has_milestones_and_the_newest_and_what_they_follow_from()
    {
        using var job = Job();
        var lineage = await _api.Client.LineageAsync("job", CancellationToken.None);

        Assert.Equal(["plays", "digits", "names"], lineage.Stages.ToArray());
        Assert.Equal(
            [("round-000000006", "round-000000004", NodeKind.PreAnneal), ("round-000000010", "round-000000008", NodeKind.Release), ("round-000000014", "round-000000012", NodeKind.Trunk)],
            lineage.Checkpoints.Select(c => (c.Name, c.Parent, c.Node.Kind)));
        Assert.Equal([0L, 6, 10], lineage.Evaluations.Select(e => e.Round));
        Assert.Equal(("release plays", 2.0), (lineage.Matrix!.After[0], lineage.Matrix.Losses[0][0]));
        Assert.Equal(Checkpoint.ReadManifest(Path.Combine(job.Folder, "round-000000010")).WeightsSha256, lineage.Checkpoints[1].WeightsSha256);
        Assert.True(double.IsNaN(lineage.Checkpoints[1].Node.Scores!["digits"].Loss));
    }

    [Fact]
    public async Task The_verb_draws_it_from_the_cluster_and_from_a_folder()
    {
        using var job = Job();
        var fromCluster = await Tool.RunHereAsync("lineage", "job", "--cluster", _api.Client.Url.ToString());
        var fromFolder = await Tool.RunHereAsync("lineage", job.JobDirectory);

        Assert.True(fromCluster.ExitCode == 0, fromCluster.All);
        Assert.Equal(fromCluster.Output, fromFolder.Output);
        foreach (var words in (string[])["pre-anneal, update 6, plays, 600 tokens, round-000000006", "release plays, update 6 + 3", "untrained", "2.000 (25.0 %)", "backward transfer"])
        {
            Assert.Contains(words, fromFolder.Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_job_of_another_method_has_none()
    {
        using var plain = new CheckpointFixture { JobDirectory = Directory.CreateDirectory(Path.Combine(_api.Store, "jobs", "plain")).FullName };
        var refusal = await Assert.ThrowsAsync<BadInputException>(() => _api.Client.LineageAsync("plain", CancellationToken.None));
        Assert.Contains("only jobs of method continual", refusal.Message, StringComparison.Ordinal);
    }
}
