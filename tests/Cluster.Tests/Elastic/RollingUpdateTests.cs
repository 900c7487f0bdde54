using System.Diagnostics;
using Cluster.Client;
using Cluster.Contracts.Api;
using Cluster.Contracts.Jobs;
using Cluster.Tests.Deployment;
using Cluster.Tests.EndToEnd;
using Cluster.Tests.Storage;

namespace Cluster.Tests.Elastic;

/// <summary>What Kubernetes does to a cluster that works: parts come, are asked to end (SIGTERM), and are replaced, one after the other.</summary>
[Collection(EndToEndTests.Name)]
public sealed class RollingUpdateTests
{
    /// <summary>Scaled from two to three, all three replaced, and scaled to two again.</summary>
    [Fact]
    public async Task Trainers_that_come_and_are_replaced_lose_no_round_and_the_others_do_not_restart()
    {
        var spec = ElasticJobs.Gpt.Replace("rounds: 160", "rounds: 360", StringComparison.Ordinal);
        await using var cluster = await TestCluster.StartAsync(2);
        var expected = await cluster.UntilEndAsync(await cluster.SubmitAsync("undisturbed", spec, 2, 2));

        var job = await cluster.SubmitAsync("updated", spec, 1, 3);
        await RanksAsync(cluster, job, 2);
        string[] old = [.. cluster.Trainers, cluster.AddTrainer()];
        var lives = (await RanksAsync(cluster, job, 3)).Workers.ToDictionary(w => w.Id, w => w.ProcessId);
        foreach (var id in old)
        {
            Ends(cluster.End(id), "trainer");
            lives.Remove(id);
            var come = cluster.AddTrainer();
            var ranks = (await RanksAsync(cluster, job, 3)).Workers.Where(w => w.Rank >= 0).ToArray();
            Assert.Contains(ranks, w => w.Id == come);
            Assert.All(lives, life => Assert.Contains(ranks, w => (w.Id, w.ProcessId) == (life.Key, life.Value)));
        }

        Ends(cluster.End(cluster.Trainers.Last()), "trainer");
        var view = await cluster.UntilEndAsync(job);
        Assert.Equal((expected.WeightsSha256, 0), (view.WeightsSha256, view.Recoveries));
        // No leaf was computed twice.
        Assert.Equal(expected.Workers.Sum(w => w.LeavesComputed), view.Workers.Sum(w => w.LeavesComputed));
    }

    /// <summary>Both silos and the dashboard, while a job runs and callers look at it and submit others.</summary>
    [SkippableFact]
    public async Task Silos_and_dashboard_that_are_replaced_lose_no_call_and_no_generation()
    {
        using var redis = await RedisServer.StartOrSkip();
        await using var cluster = await TestCluster.StartAsync(2, redis);
        await cluster.UntilSilosAreReadyAsync();
        cluster.StartDashboard();
        using var client = new ClusterClient(cluster.Api);
        await ApiAsync(cluster);
        var job = await cluster.SubmitAsync("updated", ElasticJobs.Gpt.Replace("rounds: 160", "rounds: 400", StringComparison.Ordinal), 2, 2);
        await RanksAsync(cluster, job, 2);

        using var over = new CancellationTokenSource();
        var callers = CallAsync(client, over.Token);
        for (var i = 0; i < 2; i++)
        {
            Ends(cluster.EndSilo(i), "silo");
            cluster.StartSilo(i);
            await cluster.UntilSilosAreReadyAsync();
        }

        await over.CancelAsync();
        var (calls, submitted) = await callers;
        Assert.True(calls > 20, $"{calls} calls");

        // The dashboard, with somebody who watches: the stream ends, and so does the process.
        using var http = new HttpClient { BaseAddress = cluster.Api };
        using var stream = await http.GetAsync($"/api/v1/jobs/{submitted[0]}/events", HttpCompletionOption.ResponseHeadersRead);
        Ends(cluster.EndDashboard(), "dashboard");
        cluster.StartDashboard();
        await ApiAsync(cluster);

        var view = await cluster.UntilEndAsync(job);
        Assert.Equal((1, 0), (view.Generation, view.Recoveries));
        var listed = (await client.ListAsync(0, 500, state: null, CancellationToken.None)).Jobs.Select(j => j.JobId).Where(id => id != "updated");
        Assert.Equal(submitted.Order(), listed.Order());
    }

    /// <summary>Looks and submits until it is over; a call that fails although the client repeats it ends the test.</summary>
    private static async Task<(int Calls, List<string> Submitted)> CallAsync(ClusterClient client, CancellationToken over)
    {
        var (calls, submitted) = (0, new List<string>());
        while (!over.IsCancellationRequested)
        {
            submitted.Add(await client.SubmitAsync(new SubmitRequest { Spec = ElasticJobs.Digits, Workers = 3 }, CancellationToken.None)); // It waits for a third worker.
            for (var i = 0; i < 10; i++) { Assert.True((await client.ShowAsync("updated", CancellationToken.None)).State is JobState.Running or JobState.Succeeded); }
            calls += 11;
            await Task.Delay(20, CancellationToken.None);
        }

        return (calls, submitted);
    }

    /// <summary>In order, and within the time that the manifests give it.</summary>
    private static void Ends(TestCluster.ServerProcess process, string component)
    {
        var grace = new Installation(Manifests.Unpatched("prod")).Of(component).Single().Pod.TerminationGracePeriodSeconds!.Value;
        var began = Stopwatch.GetTimestamp();
        Assert.Equal(0, process.ExitCode);
        Assert.InRange(Stopwatch.GetElapsedTime(began).TotalSeconds, 0, grace);
    }

    private static Task<JobView> RanksAsync(TestCluster cluster, IJobGrain job, int ranks) =>
        cluster.UntilAsync(job, view => view.Round > 0 && view.Workers.Count(w => w.Rank >= 0 && w.Round > 0 && cluster.Trainers.Contains(w.Id)) == ranks, $"rounds of {ranks} workers");

    private static async Task ApiAsync(TestCluster cluster)
    {
        using var http = new HttpClient { BaseAddress = cluster.Api };
        for (var began = Stopwatch.GetTimestamp(); ; await Task.Delay(50))
        {
            try
            {
                if ((await http.GetAsync("/health/ready")).IsSuccessStatusCode) { return; }
            }
            catch (HttpRequestException) when (Stopwatch.GetElapsedTime(began) < TestCluster.Deadline)
            {
                // It does not listen yet.
            }

            Assert.True(Stopwatch.GetElapsedTime(began) < TestCluster.Deadline, $"the API does not answer\n{cluster.Logs()}");
        }
    }
}
