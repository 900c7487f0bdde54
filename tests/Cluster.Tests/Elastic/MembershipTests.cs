using System.Diagnostics;
using Cluster.Contracts.Jobs;
using Cluster.Tests.EndToEnd;

namespace Cluster.Tests.Elastic;

/// <summary>Workers that come, leave, freeze and come back, on a cluster of real processes.</summary>
[Collection(EndToEndTests.Name)]
public sealed class MembershipTests
{
    [Fact]
    public async Task A_job_grows_and_shrinks_without_a_round_computed_twice_and_without_a_bit_changed()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        var alone = await cluster.SubmitAsync("alone", ElasticJobs.Gpt, 1, 1);
        var expected = await cluster.UntilEndAsync(alone);

        var job = await cluster.SubmitAsync("elastic", ElasticJobs.Gpt, 1, 4);
        await cluster.UntilAsync(job, view => view.Round > 5, "rounds of one worker");
        for (var i = 0; i < 3; i++) { cluster.AddTrainer(); }
        var began = Stopwatch.GetTimestamp();
        await cluster.UntilAsync(job, view => view.Workers.Count(worker => worker.LeavesComputed > 0) == 4, "leaves of four workers");
        Assert.InRange(Stopwatch.GetElapsedTime(began).TotalSeconds, 0, 20); // 5 s on a quiet machine; the benchmark says how long.

        foreach (var id in cluster.Trainers.Take(2).ToArray()) { Assert.True(await cluster.Pool.Drain(id)); }
        await cluster.UntilAsync(job, view => view.Workers.Count(worker => worker.Rank >= 0) == 2, "two workers");
        Assert.True(await cluster.Pool.Undrain(cluster.Trainers.First()));
        await cluster.UntilAsync(job, view => view.Workers.Count(worker => worker.Rank >= 0) == 3, "three workers");

        var view = await cluster.UntilEndAsync(job);
        Assert.Equal(expected.WeightsSha256, view.WeightsSha256);
        Assert.Equal(0, view.Recoveries);
        Assert.Equal(expected.Workers.Sum(worker => worker.LeavesComputed), view.Workers.Sum(worker => worker.LeavesComputed));
        Assert.Equal(await LossesAsync(alone), await LossesAsync(job));
    }

    [Fact]
    public async Task A_worker_asked_to_end_leaves_after_its_round()
    {
        await using var cluster = await TestCluster.StartAsync(2);
        var job = await cluster.SubmitAsync("leaving", ElasticJobs.Digits, 1, 2);
        await cluster.UntilAsync(job, view => view.Round > 20 && view.Workers.Length == 2, "rounds of two workers");
        Assert.Equal(0, cluster.End(cluster.Trainers.Last()).ExitCode);

        var view = await cluster.UntilEndAsync(job);
        Assert.Equal(0, view.Recoveries);
        Assert.Single(view.Workers, worker => worker.Rank >= 0);
    }

    /// <summary>It holds its sockets open and says nothing: only its lease gives it away. Let go on, it is a zombie of an old generation.</summary>
    [Fact]
    public async Task A_frozen_worker_is_left_behind_and_taken_back_when_it_thaws()
    {
        var spec = ElasticJobs.Gpt.Replace("rounds: 160", "rounds: 300", StringComparison.Ordinal); // Longer than a lease.
        await using var cluster = await TestCluster.StartAsync(3);
        var expected = await cluster.UntilEndAsync(await cluster.SubmitAsync("undisturbed", spec, 3, 3));

        var job = await cluster.SubmitAsync("frozen", spec, 1, 3);
        await cluster.UntilAsync(job, view => view.Round > 10 && view.Workers.Length == 3, "rounds of three workers");
        var victim = cluster.Trainers.ElementAt(1);
        cluster.Freeze(victim, frozen: true);
        await cluster.UntilAsync(job, view => view.Workers.Count(worker => worker.Rank >= 0) == 2 && view.Workers.Single(worker => worker.Id == victim).Rank < 0, "a generation without it");
        cluster.Freeze(victim, frozen: false);
        await cluster.UntilAsync(job, view => view.Workers.Count(worker => worker.Rank >= 0) == 3, "the worker's return");

        var view = await cluster.UntilEndAsync(job);
        Assert.InRange(view.Recoveries, 1, 2);
        Assert.Equal(expected.WeightsSha256, view.WeightsSha256);
    }

    private static async Task<(long, bool, double)[]> LossesAsync(IJobGrain job) =>
        [.. (await TestCluster.SamplesAsync(job)).Select(sample => (sample.Round, sample.IsEvaluation, sample.Values[sample.IsEvaluation ? "evalLoss" : "loss"]))];
}
