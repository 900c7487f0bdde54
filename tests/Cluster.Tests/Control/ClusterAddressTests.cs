using System.Net;
using Cluster.Contracts;
using Cluster.ServiceDefaults;
using Microsoft.Extensions.Configuration;

namespace Cluster.Tests.Control;

public sealed class ClusterAddressTests
{
    [Fact]
    public void Without_a_setting_the_gateway_is_the_one_of_this_machine() => Assert.Equal("127.0.0.1:30000", Read().ToString());

    [Fact]
    public void Several_gateways_stand_with_commas_between_and_host_names_are_looked_up()
    {
        Assert.Equal("10.0.0.1:1, 10.0.0.2:2, [::1]:3", Read(("Cluster:Gateway", "10.0.0.1:1, 10.0.0.2:2,[::1]:3")).ToString());
        Assert.Contains(new IPEndPoint(IPAddress.Loopback, 4), Read(("Cluster:Gateway", "localhost:4")).Gateways);
    }

    [Fact]
    public void A_gateway_that_is_named_wins_over_Redis()
    {
        var both = Read(("Cluster:Gateway", "10.0.0.1:1"), ("ConnectionStrings:redis", "10.0.0.5"));
        Assert.Equal(("10.0.0.1:1", null), (both.ToString(), both.Redis));
        Assert.Equal("silos known to Redis at 10.0.0.5:6379", Read(("ConnectionStrings:redis", "10.0.0.5:6379")).ToString());
        Assert.Equal("silos known to Redis at here:1", Read(("ConnectionStrings:redis", "there:1"), ("Cluster:Redis", "here:1")).ToString());
    }

    [Fact]
    public void A_client_is_of_the_cluster_that_it_is_told()
    {
        var address = Read(("Orleans:ClusterId", "blue"), ("Orleans:ServiceId", "green"));
        Assert.Equal(("blue", "green"), (address.ClusterId, address.ServiceId));
    }

    [Theory]
    [InlineData("10.0.0.1")]
    [InlineData("10.0.0.1:0")]
    [InlineData("10.0.0.1:1,")]
    [InlineData("10.0.0.1:70000")]
    [InlineData("host:port")]
    [InlineData("")]
    public void What_is_no_gateway_is_refused_with_what_was_found(string value)
    {
        var refused = Assert.Throws<BadInputException>(() => Read(("Cluster:Gateway", value)));
        Assert.Equal($"Cluster:Gateway is '{value}': host:port of a silo's gateway is needed, or several with commas between, such as 127.0.0.1:30000.", refused.Message);
    }

    [Theory]
    [InlineData("host:1,password=hush,ssl=perhaps")]
    [InlineData("host:1,passwort=hush")]
    [InlineData("password=hush")]
    public void A_Redis_that_cannot_be_read_is_refused_without_repeating_its_password(string value)
    {
        var refused = Assert.Throws<BadInputException>(() => Read(("Cluster:Redis", value)));
        Assert.StartsWith("Cluster:Redis cannot be read: host:port is needed", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_password_of_a_Redis_is_in_no_text_of_it()
    {
        var address = Read(("Cluster:Redis", "user.example:6380,user=u,password=hush,ssl=true"));
        Assert.Equal("user.example:6380", address.Redis!.ToString());
        Assert.DoesNotContain("hush", address.ToString(), StringComparison.Ordinal);
        Assert.Equal("hush", address.Redis.Options().Password);
    }

    private static ClusterAddress Read(params (string Key, string Value)[] settings) => ClusterAddress.From(
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Key, (string?)s.Value))).Build());
}
