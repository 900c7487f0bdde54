using Cluster.Client;
using Cluster.Contracts;
using Cluster.Tests.EndToEnd;
using Orleans.Runtime;

namespace Cluster.Tests.Api;

public sealed class ClientTests(TestApi api) : IClassFixture<TestApi>
{
    private static readonly CancellationToken s_none = CancellationToken.None;

    [Fact]
    public async Task Workers_are_listed_drained_and_undrained()
    {
        api.Cluster.AddWorker("worker-0", "job");
        api.Cluster.AddWorker("worker-1");
        Assert.Equal([("worker-0", "job"), ("worker-1", null)], (await api.Client.WorkersAsync(s_none)).Select(w => (w.Worker.Id, w.JobId)));
        Assert.True((await api.Client.DrainAsync("worker-0", s_none)).IsDraining);
        Assert.False((await api.Client.UndrainAsync("worker-0", s_none)).IsDraining);
        var pool = await api.Client.PoolAsync(s_none);
        Assert.Equal((["waiting"], ["running"]), (pool.QueuedJobs.ToArray(), pool.RunningJobs.ToArray()), EqualityComparer<(string[], string[])>.Create((a, b) => a.Item1.SequenceEqual(b.Item1) && a.Item2.SequenceEqual(b.Item2)));
        Assert.Equal("there is no worker worker-7", (await Assert.ThrowsAsync<BadInputException>(() => api.Client.DrainAsync("worker-7", s_none))).Message);
    }

    [Fact]
    public async Task The_cluster_says_what_it_is()
    {
        var cluster = await api.Client.ClusterAsync(s_none);
        Assert.NotEmpty(cluster.Version);
        Assert.Equal("127.0.0.1:30000", cluster.Gateway);
        Assert.InRange(cluster.UptimeSeconds, 0, 3600);
    }

    [Fact]
    public async Task Where_nobody_listens_no_cluster_is_reached()
    {
        var url = new Uri($"http://127.0.0.1:{FreePort.Take()}");
        using var client = new ClusterClient(url);
        var away = await Assert.ThrowsAsync<ClusterUnreachableException>(() => client.ListAsync(0, 1, null, s_none));
        Assert.Contains(url.ToString(), away.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ClusterUnreachableException>(() => client.SubmitAsync(new() { Spec = TestApi.Spec }, s_none));
        await Assert.ThrowsAsync<ClusterUnreachableException>(async () => { await foreach (var _ in client.WatchAsync("job", s_none)) { } });
    }

    [Fact]
    public async Task What_only_reads_is_tried_again_and_an_order_is_not()
    {
        await using var single = await OwnApi.StartAsync();
        var own = single.Api;
        var job = own.Cluster.Add("job");
        own.Cluster.Outage = new SiloUnavailableException("gone");
        var order = own.Client.CancelAsync("job", null, s_none);
        await Assert.ThrowsAsync<ClusterUnreachableException>(() => order);

        var read = own.Client.ShowAsync("job", s_none);
        var submit = own.Client.SubmitAsync(new() { Spec = TestApi.Spec }, s_none);
        await Task.Delay(TimeSpan.FromMilliseconds(50));
        own.Cluster.Outage = null;
        Assert.Equal("job", (await read).JobId);
        Assert.StartsWith("digits-", await submit, StringComparison.Ordinal);
        Assert.Empty(job.Orders);
    }

    [Fact]
    public async Task What_is_no_cluster_is_said_to_be_none()
    {
        using var client = new ClusterClient(new Uri(api.Url, "/elsewhere/")); // The path of the API is fixed: still the cluster.
        Assert.NotEmpty((await client.ClusterAsync(s_none)).Version);
        Assert.Throws<BadInputException>(() => new ClusterClient(new Uri("ftp://127.0.0.1")));
    }

    [Fact]
    public async Task A_caller_that_cancels_gets_its_cancellation()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => api.Client.ListAsync(0, 1, null, cancelled.Token));
    }
}
