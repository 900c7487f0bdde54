using System.Text.Json;
using Cluster.Contracts;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Lineage;
using Cluster.Tests.EndToEnd;
using Cluster.Trainer.Core.Checkpoints;
using Xunit.Abstractions;

namespace Cluster.Tests.Elastic;

/// <summary>
/// Stages and releases ordered while a job runs: it becomes, bit for bit, the job that had them in its spec from the beginning. With
/// <c>CLUSTER_KILL_RUNS</c> one more trainer is killed, within the branch.
/// </summary>
[Collection(EndToEndTests.Name)]
public sealed class OrderTests(ITestOutputHelper output)
{
    private const string Plays = """
        name: plays
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
              updates: 60
        checkpoint: { everyRounds: 20 }
        evaluate: { samples: 64 }
        """;

    private const string Prose = "name: prose\ndata: { kind: text, files: [text/wilhelm-meister.txt] }\nupdates: 40\nmixture: { kind: replay, share: 0.25 }\nmoments: reset\nrelease: { updates: 12 }\n";

    [Fact]
    public async Task A_job_with_orders_is_the_job_that_had_them_in_its_spec_whoever_is_killed_meanwhile()
    {
        await using var cluster = await TestCluster.StartAsync(2);
        var job = await cluster.SubmitAsync("ordered", Plays, 1, 3);
        await cluster.UntilAsync(job, view => view.Round >= 10, "round 10");
        Assert.Null((await job.Order(OrderKind.Release, "{name: early, updates: 10}", [])).Refusal);
        cluster.KillTrainer(cluster.Trainers.First());
        cluster.AddTrainer();
        await TakenAsync(cluster, job, 1);

        if (Environment.GetEnvironmentVariable("CLUSTER_KILL_RUNS") is not null)
        {
            await cluster.UntilAsync(job, view => view.Round >= view.Orders[0].Round + 3, "the branch");
            cluster.KillTrainer(cluster.Trainers.First());
            cluster.AddTrainer();
        }

        Assert.Null((await job.Order(OrderKind.Append, Prose, [])).Refusal);
        cluster.KillSilo(); // What was acknowledged is not forgotten, also where the trunk has come to its end before the silo is back.
        cluster.StartSilo();
        await TakenAsync(cluster, job, 2);

        // Data that no worker has: the job goes on without them.
        Assert.Null((await job.Order(OrderKind.Append, "{name: lost, data: {kind: text, files: [text/no-such.txt]}, updates: 5}", [])).Refusal);
        var refused = await cluster.UntilAsync(job, view => view.Orders[2].State is OrderState.Refused, "a refusal");
        Assert.Contains("stage 'lost': ", refused.Orders[2].Reason, StringComparison.Ordinal);
        var ordered = await cluster.UntilEndAsync(job);
        foreach (var happened in ordered.Events) { output.WriteLine($"{happened.Time:HH:mm:ss.fff} {happened.State}: {happened.Text}"); }

        var whole = await cluster.SubmitAsync("whole", ordered.Submission!.SpecText, 1, 3);
        var expected = await cluster.UntilEndAsync(whole);
        Assert.Equal((expected.WeightsSha256, expected.Rounds, expected.SamplesSeen), (ordered.WeightsSha256, ordered.Rounds, ordered.SamplesSeen));
        Assert.Equal(await LossesAsync(whole), await LossesAsync(job));
        Assert.Equal(Milestones(expected), Milestones(ordered));
        Assert.Equal(["early", "prose"], Milestones(ordered).Where(m => m.Node.Kind is NodeKind.Release).Select(m => m.Node.Release));
    }

    private static Task<JobView> TakenAsync(TestCluster cluster, IJobGrain job, int number) =>
        cluster.UntilAsync(job, view => view.Orders.Any(order => order.Number == number && order.State is OrderState.Taken), $"order {number}");

    private static async Task<string[]> LossesAsync(IJobGrain job) =>
        [.. (await TestCluster.SamplesAsync(job)).Where(sample => !sample.IsEvaluation).Select(sample => $"{sample.Round}: {JsonSerializer.Serialize(sample.Values.OrderBy(v => v.Key, StringComparer.Ordinal))}")];

    /// <summary>Weights and scores of all that a lineage keeps; before a stage was appended, its data could not be evaluated.</summary>
    private static (long Round, string Weights, string Scores, LineageNode Node)[] Milestones(JobView view) =>
    [
        .. from place in CheckpointStore.List(view.Submission!.Directory)
           let manifest = Checkpoint.Open(place.Path).Manifest
           where manifest.Lineage is { IsMilestone: true }
           orderby place.Round
           select (place.Round, manifest.WeightsSha256, $"{manifest.Lineage!.Scores!["plays"]}", manifest.Lineage with { Scores = null }),
    ];
}
