using Cluster.Cli.Up;
using Cluster.Cli.Verbs;
using Cluster.Client;
using Cluster.Contracts;
using Cluster.Tests.Data;
using Cluster.Tests.EndToEnd;

namespace Cluster.Tests.Api;

[Collection(ConsoleTests.Name)]
public sealed class UpTests
{
    private static readonly AddressFile s_address = new(4711, "http://127.0.0.1:8099", "127.0.0.1:30001", "secret");

    [Fact]
    public void The_address_file_is_read_back_belongs_to_its_owner_and_shows_no_secret()
    {
        using var store = new TemporaryFolder();
        Assert.Null(AddressFile.Read(store.Path));
        s_address.Write(store.Path);
        Assert.Equal(s_address, AddressFile.Read(store.Path));
        if (!OperatingSystem.IsWindows()) { Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(store.Path, "cluster.json"))); }
        Assert.DoesNotContain("secret", s_address.ToString() + s_address.ToJson(), StringComparison.Ordinal);
        Assert.Equal(["cluster.json"], Directory.GetFiles(store.Path).Select(Path.GetFileName));
        AddressFile.Delete(store.Path);
        Assert.Null(AddressFile.Read(store.Path));
        store.Write("cluster.json", "half a fi");
        Assert.Null(AddressFile.Read(store.Path));
    }

    [Fact]
    public void A_store_has_one_cluster_and_the_second_is_told_whose_it_is()
    {
        using var store = new TemporaryFolder();
        using (StoreLock.Take(store.Path))
        {
            s_address.Write(store.Path);
            var refused = Assert.Throws<BadInputException>(() => StoreLock.Take(store.Path));
            Assert.Contains("http://127.0.0.1:8099 (process 4711)", refused.Message, StringComparison.Ordinal);
            Assert.Null(StoreLock.TryTake(store.Path));
        }

        StoreLock.Take(store.Path).Dispose(); // What an ended holder left is no obstacle.
    }

    [Theory]
    [InlineData("http://a:1", "http://b:2", "http://a:1/")]
    [InlineData(null, "http://b:2", "http://b:2/")]
    [InlineData(null, "", "http://127.0.0.1:8099/")]
    [InlineData(null, null, "http://127.0.0.1:8099/")]
    public void A_verb_goes_to_the_cluster_that_is_named_nearest(string? option, string? variable, string expected)
    {
        using var store = new TemporaryFolder();
        s_address.Write(store.Path);
        Assert.Equal(expected, ClusterUrl.Of(option, variable, store.Path).ToString());
    }

    [Fact]
    public void Without_any_name_a_verb_goes_to_port_8080_of_this_machine()
    {
        using var store = new TemporaryFolder();
        Assert.Equal("http://127.0.0.1:8080/", ClusterUrl.Of(null, null, store.Path).ToString());
    }

    [Fact]
    public void A_worker_that_keeps_ending_is_started_later_and_later_and_one_that_was_well_at_once()
    {
        var soon = TimeSpan.FromSeconds(1);
        var delays = new List<TimeSpan> { TimeSpan.Zero };
        while (delays.Count < 12) { delays.Add(WorkerFleet.NextDelay(delays[^1], soon)); }
        Assert.Equal(delays.Order(), delays);
        Assert.Equal(TimeSpan.FromMilliseconds(200), delays[1]);
        Assert.Equal(TimeSpan.FromSeconds(30), delays[^1]);
        Assert.Equal(TimeSpan.FromMilliseconds(200), WorkerFleet.NextDelay(delays[^1], TimeSpan.FromHours(1)));
    }

    [Fact]
    public async Task Down_without_a_cluster_is_exit_code_3_and_clears_what_a_dead_one_left()
    {
        using var store = new TemporaryFolder();
        Assert.Equal(ExitCodes.NoCluster, (await Tool.RunHereAsync("down", "--store", store.Path)).ExitCode);
        s_address.Write(store.Path);
        var result = await Tool.RunHereAsync("down", "--store", store.Path);
        Assert.Equal(ExitCodes.NoCluster, result.ExitCode);
        Assert.Contains("process 4711 ended without a word", result.Error, StringComparison.Ordinal);
        Assert.Null(AddressFile.Read(store.Path));
    }

    [Theory]
    [InlineData("--workers", "-1")]
    [InlineData("--workers", "1025")]
    [InlineData("--port", "65536")]
    [InlineData("--gateway-port", "-2")]
    public async Task A_number_out_of_range_is_refused(string option, string value)
    {
        using var store = new TemporaryFolder();
        var result = await Tool.RunHereAsync("up", "--store", store.Path, option, value);
        Assert.Equal(ExitCodes.BadInput, result.ExitCode);
        Assert.StartsWith($"{option}: found {value}, allowed: 0 to", result.Error, StringComparison.Ordinal);
    }
}
