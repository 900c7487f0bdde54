using System.Globalization;
using Cluster.Contracts.Jobs;
using Cluster.Tests.EndToEnd;

namespace Cluster.Tests.Elastic;

/// <summary>What was acknowledged is there after kill -9 of the silo, whenever it comes. <c>CLUSTER_SUBMISSIONS</c> sets how many (2,000 by default; 10,000 for a record).</summary>
[Collection(EndToEndTests.Name)]
public sealed class SubmissionTests
{
    private const int Parallel = 64;

    [Theory, InlineData(0), InlineData(350), InlineData(1_000)]
    public async Task No_acknowledged_submission_is_lost_or_doubled_when_the_silo_is_killed(int millisecondsLater)
    {
        var count = int.Parse(Environment.GetEnvironmentVariable("CLUSTER_SUBMISSIONS") ?? "2000", CultureInfo.InvariantCulture);
        await using var cluster = await TestCluster.StartAsync(trainers: 0);
        var acknowledged = new bool[count];
        await Task.WhenAll(Enumerable.Range(0, Parallel).Select(async first =>
        {
            for (var i = first; i < count; i += Parallel)
            {
                acknowledged[i] = (await cluster.Job(Id(i)).Submit(Submission(i))).Refusal is null;
            }
        }));
        Assert.All(acknowledged, Assert.True);

        await Task.Delay(millisecondsLater);
        cluster.KillSilo();
        cluster.StartSilo();
        await cluster.UntilAsync(cluster.Job(Id(0)), view => view.State is JobState.Waiting, "the first job");

        var listed = new List<string>();
        for (var page = await cluster.Index.List(0, 500); !page.Ids.IsEmpty; page = await cluster.Index.List(listed.Count, 500)) { listed.AddRange(page.Ids); }
        Assert.Equal(count, listed.Distinct().Count());
        Assert.Equal(count, listed.Count);
        foreach (var chunk in Enumerable.Range(0, count).Chunk(Parallel))
        {
            await Task.WhenAll(chunk.Select(async i =>
            {
                var view = await cluster.Job(Id(i)).View(0);
                Assert.Equal((JobState.Waiting, Submission(i).Directory), (view.State, view.Submission?.Directory));
            }));
        }

        // An id that is taken stays taken, and the same submission once more is no other job.
        Assert.Null((await cluster.Job(Id(7)).Submit(Submission(7))).Refusal);
        Assert.NotNull((await cluster.Job(Id(7)).Submit(Submission(8))).Refusal);
        Assert.Equal(count, (await cluster.Index.List(0, 1)).Total);
    }

    private static string Id(int i) => string.Create(CultureInfo.InvariantCulture, $"job-{i}");

    private static JobSubmission Submission(int i) => new("name: job", "hash", $"/jobs/{Id(i)}", [], 1, 1, Resume: false);
}
