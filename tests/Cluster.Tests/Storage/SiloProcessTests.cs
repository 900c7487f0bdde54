using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Cluster.Contracts.Jobs;
using Cluster.Grains.Storage;
using Cluster.ServiceDefaults;
using Cluster.Tests.Data;
using Orleans;

namespace Cluster.Tests.Storage;

/// <summary>The only silo of a cluster, as an operator runs it: killed, restarted, started twice, ended.</summary>
public sealed class SiloProcessTests : IDisposable
{
    private readonly TemporaryFolder _store = new();

    public void Dispose() => _store.Dispose();

    [SkippableFact]
    public async Task After_kill_9_what_was_acknowledged_is_there_and_a_client_is_back_as_soon_as_the_silo_is()
    {
        SkipOnWindows();
        var (ports, gateway) = SiloProcess.OnFreePorts();
        string[] settings = ["--Cluster:Store", _store.Path, .. ports];
        using var first = SiloProcess.Start(settings);
        await first.Ready();
        await using var client = await ClusterConnection.ConnectAsync(ClusterAddress.Of(gateway), SiloProcess.Deadline, CancellationToken.None);
        var pool = client.Grains.GetGrain<IPoolGrain>(IPoolGrain.Default);
        await pool.Enqueue("job-1", 1, 1, -1, []);

        // Calls on their way when the silo dies, and calls made while none is there, fail soon: nobody waits for an answer that cannot come.
        var stop = new CancellationTokenSource();
        var calls = Enumerable.Range(0, 8).Select(_ => SlowestFailure(pool, stop.Token)).ToArray();
        first.Kill();
        using var second = SiloProcess.Start(settings);
        await second.Ready();

        var ready = Stopwatch.GetTimestamp();
        var view = await Retry(pool.View);
        var back = Stopwatch.GetElapsedTime(ready);
        await stop.CancelAsync();
        Assert.Equal("job-1", Assert.Single(view.QueuedJobs));
        Assert.InRange(back, TimeSpan.Zero, TimeSpan.FromSeconds(3)); // 0.2 s on a machine at rest.
        Assert.All(await Task.WhenAll(calls), slowest => Assert.InRange(slowest, TimeSpan.FromTicks(1), TimeSpan.FromSeconds(5)));
    }

    [SkippableFact]
    public async Task A_second_silo_on_the_same_store_is_refused_and_the_first_one_goes_on()
    {
        SkipOnWindows();
        var (ports, gateway) = SiloProcess.OnFreePorts();
        using var first = SiloProcess.Start(["--Cluster:Store", _store.Path, .. ports]);
        await first.Ready();
        using var second = SiloProcess.Start("--Cluster:Store", _store.Path);
        var (exitCode, output, error) = await second.End();
        Assert.Equal((2, ""), (exitCode, output));
        Assert.Equal($"error: the store {Path.Combine(_store.Path, ControlStore.FileName)} is in use by another silo: end that one, or give each its own folder with Cluster:Store.", error.Trim());

        await using var client = await ClusterConnection.ConnectAsync(ClusterAddress.Of(gateway), SiloProcess.Deadline, CancellationToken.None);
        Assert.NotEmpty(await client.Grains.GetGrain<IPoolGrain>(IPoolGrain.Default).Enqueue("job", 1, 1, -1, []));
    }

    [SkippableFact]
    public async Task A_port_of_its_health_endpoints_that_is_in_use_is_said_and_nothing_else()
    {
        SkipOnWindows();
        using var other = new TcpListener(IPAddress.Any, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        using var silo = SiloProcess.Start("--Cluster:Store", _store.Path, "--Cluster:HealthPort", $"{port}");
        var (exitCode, output, error) = await silo.End();
        Assert.Equal((2, ""), (exitCode, output));
        Assert.StartsWith($"error: port {port} cannot be opened, and Cluster:HealthPort asks for it: ", error, StringComparison.Ordinal);
        Assert.Single(error.Trim().Split('\n'));
    }

    [SkippableFact]
    public async Task Asked_to_end_it_ends_soon_with_0_and_a_store_that_is_whole()
    {
        SkipOnWindows();
        using var silo = SiloProcess.Start("--Cluster:Store", _store.Path);
        await silo.Ready();
        var asked = Stopwatch.GetTimestamp();
        silo.Terminate();
        var (exitCode, output, error) = await silo.End();
        Assert.InRange(Stopwatch.GetElapsedTime(asked), TimeSpan.Zero, TimeSpan.FromSeconds(10)); // 0.3 s on a machine at rest.
        Assert.Equal((0, ""), (exitCode, error));
        Assert.Single(output.Trim().Split('\n')); // That it was ready, and nothing else.
        Assert.False(File.Exists(Path.Combine(_store.Path, ControlStore.FileName + "-wal")));
    }

    private static void SkipOnWindows() => Skip.If(OperatingSystem.IsWindows(), "signals as Unix knows them");

    /// <summary>Calls again and again; the longest that one took to fail.</summary>
    private static async Task<TimeSpan> SlowestFailure(IPoolGrain pool, CancellationToken stop)
    {
        var slowest = TimeSpan.Zero;
        while (!stop.IsCancellationRequested)
        {
            var began = Stopwatch.GetTimestamp();
            try
            {
                await pool.View();
            }
            catch (Exception)
            {
                slowest = TimeSpan.FromTicks(Math.Max(slowest.Ticks, Stopwatch.GetElapsedTime(began).Ticks));
            }

            await Task.Delay(10, CancellationToken.None);
        }

        return slowest;
    }

    private static async Task<T> Retry<T>(Func<Task<T>> call)
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
                await Task.Delay(20);
            }
        }
    }
}
