using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Cluster.Contracts;
using Cluster.Grains.Hosting;
using Cluster.ServiceDefaults;
using Cluster.Tests.EndToEnd;
using Microsoft.Extensions.Configuration;

namespace Cluster.Tests.Control;

public sealed class HostingTests
{
    [Fact]
    public async Task A_port_in_use_is_refused_with_its_number_who_asks_for_it_and_what_to_do()
    {
        using var holder = new TcpListener(IPAddress.Loopback, 0);
        holder.Start();
        var port = ((IPEndPoint)holder.LocalEndpoint).Port;

        var refused = await Assert.ThrowsAsync<BadInputException>(() =>
            ClusterSilo.StartAsync(new() { GatewayPort = new(port, "--gateway-port") }, CancellationToken.None));
        Assert.Equal(
            $"port {port} on 127.0.0.1 is in use, and --gateway-port asks for it: end the program that holds it, set another port, or 0 to let the system choose.",
            refused.Message);
    }

    [Fact]
    public async Task A_port_that_was_asked_for_is_the_one_that_listens()
    {
        var port = FreePort.Take();
        await using var silo = await ClusterSilo.StartAsync(new() { GatewayPort = new(port, "test") }, CancellationToken.None);
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, port), silo.Gateway);
        using var client = new TcpClient();
        await client.ConnectAsync(silo.Gateway);
    }

    [Fact]
    public void Ports_chosen_together_differ()
    {
        var ports = Ports.Choose(IPAddress.Loopback, new(0, "a"), new(0, "b"), new(0, "c"));
        Assert.Equal(3, ports.Distinct().Count());
    }

    [Theory]
    [InlineData("Orleans:Endpoints:SiloPort", "eleven")]
    [InlineData("Orleans:Endpoints:GatewayPort", "70000")]
    [InlineData("Orleans:Endpoints:AdvertisedIPAddress", "localhost")]
    [InlineData("Orleans:Endpoints:AdvertisedIPAddress", "0.0.0.0")]
    public void A_wrong_setting_is_refused_by_its_key_and_value(string key, string value)
    {
        var refused = Assert.Throws<BadInputException>(() => SiloSettings.From(Configuration((key, value))));
        Assert.StartsWith($"{key} is '{value}': ", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void State_lies_in_a_folder_unless_Redis_is_named_and_never_in_both()
    {
        Assert.Equal(".cluster/silo", Read().Store);
        Assert.Equal("/data", Read(("Cluster:Store", "/data")).Store);
        Assert.Null(new SiloSettings().Store); // An embedded silo keeps it in memory unless it is told where.

        var several = Read(("ConnectionStrings:redis", "10.0.0.5:6379,password=hush"));
        Assert.Equal((null, "10.0.0.5:6379"), (several.Store, several.Redis!.ToString()));
        var refused = Assert.Throws<BadInputException>(() => Read(("ConnectionStrings:redis", "10.0.0.5:6379"), ("Cluster:Store", "/data")));
        Assert.Equal("Cluster:Store and ConnectionStrings:redis are both set: the state of a silo lies in a folder or in Redis. Leave one out.", refused.Message);

        static SiloSettings Read(params (string Key, string Value)[] settings) => SiloSettings.From(Configuration(settings));
    }

    [Fact]
    public void An_address_of_another_machine_is_refused()
    {
        var refused = Assert.Throws<BadInputException>(() => Ports.Choose(IPAddress.Parse("192.0.2.1"), new PortChoice(0, "test")));
        Assert.StartsWith("192.0.2.1 is not an address of this machine", refused.Message, StringComparison.Ordinal);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task An_unreachable_cluster_is_said_so_within_the_deadline(bool listensButDoesNotAnswer)
    {
        var gateway = new IPEndPoint(IPAddress.Loopback, FreePort.Take());
        using var deaf = new TcpListener(gateway);
        if (listensButDoesNotAnswer) { deaf.Start(); }

        var clock = Stopwatch.StartNew();
        var unreachable = await Assert.ThrowsAsync<TimeoutException>(() =>
            ClusterConnection.ConnectAsync(ClusterAddress.Of(gateway), TimeSpan.FromSeconds(1), CancellationToken.None));
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 10); // Far below Orleans' own 30 s, with room for a busy machine.
        Assert.Equal($"no cluster answers ({gateway}; tried for 1 s): is it running, and is this its address?", unreachable.Message);
    }

    private static IConfiguration Configuration(params (string Key, string Value)[] settings) =>
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Key, (string?)s.Value))).Build();
}
