using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Cluster.Client;
using Cluster.Contracts;
using Cluster.Grains.Hosting;
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
        var port = Ports.Choose(IPAddress.Loopback, new PortChoice(0, "test"))[0];
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
    public void A_wrong_setting_is_refused_by_its_key_and_value(string key, string value)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new(key, value)]).Build();
        var refused = Assert.Throws<BadInputException>(() => SiloSettings.From(configuration));
        Assert.StartsWith($"{key} is '{value}': ", refused.Message, StringComparison.Ordinal);
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
        using var deaf = new TcpListener(IPAddress.Loopback, 0);
        deaf.Start();
        var gateway = (IPEndPoint)deaf.LocalEndpoint;
        if (!listensButDoesNotAnswer)
        {
            deaf.Stop();
        }

        var clock = Stopwatch.StartNew();
        var unreachable = await Assert.ThrowsAsync<ClusterUnreachableException>(() =>
            ClusterConnection.ConnectAsync(gateway, TimeSpan.FromSeconds(1), CancellationToken.None));
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 10); // Far below Orleans' own 30 s, with room for a busy machine.
        Assert.Equal($"no cluster answers at {gateway} (tried for 1 s): is it running, and is this its gateway's address?", unreachable.Message);
    }
}
