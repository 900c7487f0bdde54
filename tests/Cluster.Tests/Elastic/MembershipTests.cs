using System.Diagnostics;
using System.Globalization;
using Cluster.Contracts.Jobs;
using Cluster.Tests.EndToEnd;
using Xunit.Abstractions;

namespace Cluster.Tests.Elastic;

/// <summary>Workers that come, leave, freeze and come back, on a cluster of real processes.</summary>
[Collection(EndToEndTests.Name)]
public sealed class MembershipTests(ITestOutputHelper output)
{
    /// <summary>
    /// 1, 4, 2, 3 workers in one run, by joins and drains at random rounds. <c>CLUSTER_SCHEDULES</c> sets how many seeded runs there
    /// are (1 by default; 20 for a record).
    /// </summary>
    [Fact]
    public async Task A_job_grows_and_shrinks_without_a_round_computed_twice_and_without_a_bit_changed()
    {
        var runs = int.Parse(Environment.GetEnvironmentVariable("CLUSTER_SCHEDULES") ?? "1", CultureInfo.InvariantCulture);
        await using var cluster = await TestCluster.StartAsync(1);
        var alone = await cluster.SubmitAsync("alone", ElasticJobs.Gpt, 1, 1);
        var expected = await cluster.UntilEndAsync(alone);
        for (var i = 0; i < 3; i++) { cluster.AddTrainer(); }

        for (var seed = 1; seed <= runs; seed++)
        {
            var random = new Random(seed);
            var order = cluster.Trainers.ToArray();
            random.Shuffle(order);
            await cluster.UntilIdleAsync(4);
            foreach (var id in order[1..]) { Assert.True(await cluster.Pool.Drain(id)); }
            var job = await cluster.SubmitAsync($"elastic-{seed}", ElasticJobs.Gpt, 1, 4);

            await RoundAsync(cluster, job, random.Next(1, 25), workers: 1);
            var began = Stopwatch.GetTimestamp();
            foreach (var id in order[1..]) { Assert.True(await cluster.Pool.Undrain(id)); }
            await cluster.UntilAsync(job, view => view.Workers.Count(worker => worker.LeavesComputed > 0) == 4, "leaves of four workers");
            var joined = Stopwatch.GetElapsedTime(began).TotalSeconds;
            Assert.InRange(joined, 0, 20); // 5 s on a machine that is not overloaded; the record says how long.

            await RoundAsync(cluster, job, random.Next(30, 55), workers: 4);
            foreach (var id in order[random.Next(3)..].Take(2)) { Assert.True(await cluster.Pool.Drain(id)); }
            await RoundAsync(cluster, job, random.Next(60, 90), workers: 2);
            var draining = (await cluster.Pool.View()).Workers.First(worker => worker.IsDraining).Worker.Id;
            Assert.True(await cluster.Pool.Undrain(draining));
            await RoundAsync(cluster, job, random.Next(95, 130), workers: 3);

            var view = await cluster.UntilEndAsync(job);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {seed}: {view.Generation} generations, three workers joined in {joined:F2} s, {view.WeightsSha256}"));
            Assert.Equal(expected.WeightsSha256, view.WeightsSha256);
            Assert.Equal(0, view.Recoveries);
            Assert.Equal(expected.Workers.Sum(worker => worker.LeavesComputed), view.Workers.Sum(worker => worker.LeavesComputed));
            Assert.Equal(await LossesAsync(alone), await LossesAsync(job));
            foreach (var id in order) { await cluster.Pool.Undrain(id); }
        }
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

    /// <summary>Waits for a round, and for so many workers in the newest generation.</summary>
    private static Task<JobView> RoundAsync(TestCluster cluster, IJobGrain job, long round, int workers) =>
        cluster.UntilAsync(job, view => view.Round >= round && view.Workers.Count(worker => worker.Rank >= 0) == workers, $"round {round} with {workers} workers");

    private static async Task<(long, bool, double)[]> LossesAsync(IJobGrain job) =>
        [.. (await TestCluster.SamplesAsync(job)).Select(sample => (sample.Round, sample.IsEvaluation, sample.Values[sample.IsEvaluation ? "evalLoss" : "loss"]))];
}
