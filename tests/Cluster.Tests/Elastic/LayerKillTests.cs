using Cluster.Tests.EndToEnd;
using Xunit.Abstractions;

namespace Cluster.Tests.Elastic;

/// <summary>
/// Layers shared out among three workers, each of which may be killed at any moment, the one in the middle too, and the silo beside: the weights are those
/// of one process. <c>CLUSTER_KILL_RUNS</c> sets how many seeded runs there are (two by default; 20 for a record), or which: 5-20.
/// </summary>
[Collection(EndToEndTests.Name)]
public sealed class LayerKillTests(ITestOutputHelper output)
{
    private const int Workers = 3;

    [Fact]
    public async Task Killed_workers_change_no_bit_of_layers_that_are_shared_out()
    {
        var (first, last) = KillTests.Wanted(byDefault: "2");
        await using var cluster = await TestCluster.StartAsync(Workers);
        var alone = await cluster.SubmitAsync("layers-one-process", ElasticJobs.Layers, 1, 1);
        var expected = await cluster.UntilEndAsync(alone);

        for (var seed = first; seed <= last; seed++)
        {
            var job = await cluster.SubmitAsync($"layers-seed-{seed}", ElasticJobs.Layers, 1, Workers);
            var (kills, silos) = await KillTests.DisturbAsync(cluster, job, new Random(seed));
            var view = await cluster.UntilEndAsync(job);
            output.WriteLine($"seed {seed}: {kills} trainers and {silos} silos killed, {view.Recoveries} recoveries, {view.Generation} generations, {view.WeightsSha256}");

            Assert.True(expected.WeightsSha256 == view.WeightsSha256, $"seed {seed}: {view.WeightsSha256} and not {expected.WeightsSha256}\n{cluster.Logs()}");
            Assert.Equal(expected.SamplesSeen, view.SamplesSeen);
        }
    }
}
