using System.Net;
using System.Net.Sockets;
using Cluster.Contracts;
using Cluster.Grains.Hosting;
using Cluster.ServiceDefaults;
using Cluster.Tests.EndToEnd;
using Microsoft.Extensions.Hosting;

namespace Cluster.Tests.Deployment;

public sealed class HealthDoorTests
{
    [Theory]
    [InlineData("/health/live", false, false, HttpStatusCode.OK)]
    [InlineData("/health/startup", false, false, HttpStatusCode.ServiceUnavailable)]
    [InlineData("/health/ready", false, false, HttpStatusCode.ServiceUnavailable)]
    [InlineData("/health/startup", true, false, HttpStatusCode.OK)]
    [InlineData("/health/ready", true, false, HttpStatusCode.OK)]
    [InlineData("/health/live", true, true, HttpStatusCode.OK)]
    [InlineData("/health/ready", true, true, HttpStatusCode.ServiceUnavailable)]
    [InlineData("/health/other", true, false, HttpStatusCode.NotFound)]
    [InlineData(null, true, false, HttpStatusCode.NotFound)]
    public void It_says_how_far_the_process_is(string? path, bool hasStarted, bool isEnding, HttpStatusCode expected) =>
        Assert.Equal(expected, HealthDoor.Answer(path, hasStarted, isEnding));

    [Fact]
    public async Task A_silo_answers_probes_until_it_has_ended()
    {
        var port = FreePort.Take();
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        await using (await ClusterSilo.StartAsync(new(), () => Builder($"{port}"), new CancellationTokenSource(TimeSpan.FromSeconds(40)).Token))
        {
            foreach (var path in (string[])["/health/live", "/health/startup", "/health/ready"])
            {
                Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(path)).StatusCode);
            }

            Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync("/health/")).StatusCode);
        }

        await Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync("/health/live"));
    }

    [Theory, InlineData("0"), InlineData("http"), InlineData("70000")]
    public void A_wrong_port_is_refused_by_its_key_and_value(string value)
    {
        var refused = Assert.Throws<BadInputException>(() => Builder(value).AddHealthDoor());
        Assert.Equal($"Cluster:HealthPort is '{value}': a port from 1 to 65535 is needed", refused.Message);
    }

    [Fact]
    public async Task A_port_in_use_is_said_so()
    {
        using var holder = new TcpListener(IPAddress.Any, 0);
        holder.Start();
        var port = ((IPEndPoint)holder.LocalEndpoint).Port;
        var refused = await Assert.ThrowsAsync<BadInputException>(() => ClusterSilo.StartAsync(new(), () => Builder($"{port}"), CancellationToken.None));
        Assert.StartsWith($"port {port} cannot be opened, and Cluster:HealthPort asks for it: ", refused.Message, StringComparison.Ordinal);
    }

    private static HostApplicationBuilder Builder(string port)
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration[HealthExtensions.PortKey] = port;
        return builder;
    }
}
