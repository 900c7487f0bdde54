using System.Diagnostics;
using Cluster.Contracts;
using Cluster.Contracts.Jobs;
using Cluster.Grains.Hosting;
using Cluster.ServiceDefaults;
using Cluster.Tests.EndToEnd;

namespace Cluster.Tests.Storage;

/// <summary>Several silos, held together by a real Redis.</summary>
public sealed class RedisTests
{
    /// <summary>Enough that both silos have some.</summary>
    private const int Pools = 12;

    [SkippableFact]
    public async Task When_one_of_two_silos_is_killed_calls_go_on_and_nothing_that_was_acknowledged_is_lost()
    {
        using var redis = await RedisServer.StartOrSkip();
        using var first = SiloProcess.Start("--Cluster:Redis", redis.Connection);
        using var second = SiloProcess.Start("--Cluster:Redis", redis.Connection);
        await first.Ready();
        await second.Ready();
        await using var client = await ClusterConnection.ConnectAsync(
            new ClusterAddress { Redis = new(redis.Connection) }, SiloProcess.Deadline, CancellationToken.None);
        var pools = Enumerable.Range(0, Pools).Select(i => client.Grains.GetGrain<IPoolGrain>($"pool-{i}")).ToArray();
        await Task.WhenAll(pools.Select(async pool => await Repeated(() => pool.Enqueue("job", 1, 1, -1, []))));

        first.Kill();
        var killed = Stopwatch.GetTimestamp();
        var views = await Task.WhenAll(pools.Select(pool => Repeated(pool.View)));
        Assert.InRange(Stopwatch.GetElapsedTime(killed), TimeSpan.Zero, TimeSpan.FromSeconds(15)); // About 3 s on a machine at rest.
        Assert.All(views, view => Assert.Equal("job", Assert.Single(view.QueuedJobs)));
    }

    [SkippableFact]
    public async Task A_silo_says_that_Redis_keeps_no_file_and_never_says_the_password()
    {
        using var redis = await RedisServer.StartOrSkip(appendOnly: false);
        using var silo = SiloProcess.Start("--Cluster:Redis", redis.Connection);
        await silo.Ready();
        silo.Terminate();
        var (exitCode, output, error) = await silo.End();
        Assert.Equal((0, ""), (exitCode, error));
        Assert.Contains("keeps no append-only file", output, StringComparison.Ordinal);
        Assert.DoesNotContain(RedisServer.Password, output, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_wrong_password_is_said_to_be_wrong_and_is_not_repeated()
    {
        using var redis = await RedisServer.StartOrSkip();
        var address = new RedisAddress(redis.Connection.Replace(RedisServer.Password, "mistyped", StringComparison.Ordinal));
        var refused = await Assert.ThrowsAsync<BadInputException>(() => ClusterSilo.StartAsync(new SiloSettings { Redis = address }, CancellationToken.None));
        Assert.Equal($"the Redis at {address} (Cluster:Redis) refuses the password or user.", refused.Message);
    }

    [Fact]
    public async Task A_Redis_that_is_not_there_is_named()
    {
        var port = FreePort.Take();
        var address = new RedisAddress($"127.0.0.1:{port},password=hush,connectTimeout=200");
        var refused = await Assert.ThrowsAsync<BadInputException>(() => ClusterSilo.StartAsync(new SiloSettings { Redis = address }, CancellationToken.None));
        Assert.StartsWith($"no Redis answers at 127.0.0.1:{port} (Cluster:Redis): is it running", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>As every caller in the cluster does with a call that failed: once more.</summary>
    private static async Task<T> Repeated<T>(Func<Task<T>> call)
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                return await call();
            }
            catch (Exception) when (Stopwatch.GetElapsedTime(began) < SiloProcess.Deadline)
            {
                await Task.Delay(50);
            }
        }
    }
}
