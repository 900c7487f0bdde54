using System.Net;
using Cluster.Contracts;
using Cluster.Contracts.Api;
using Cluster.Dashboard;
using Microsoft.Extensions.Configuration;
using Orleans.Runtime;

namespace Cluster.Tests.Api;

public sealed class RequestRuleTests(TestApi api) : IClassFixture<TestApi>
{
    [Theory]
    [InlineData("localhost", true)]
    [InlineData("LOCALHOST:8080", true)]
    [InlineData("127.0.0.1", true)]
    [InlineData("[::1]:80", true)]
    [InlineData("cluster.evil.example", false)]
    [InlineData("localhost.evil.example", false)]
    [InlineData("127.0.0.1.evil.example", false)]
    [InlineData("192.0.2.7", false)]
    public async Task Only_a_loopback_name_of_this_host_is_answered(string host, bool isAnswered)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "cluster");
        request.Headers.Host = host;
        var response = await api.Http.SendAsync(request);
        if (isAnswered) { Assert.Equal(HttpStatusCode.OK, response.StatusCode); }
        else { Assert.Contains("Host header", (await TestApi.ProblemAsync(response, HttpStatusCode.BadRequest)).Detail, StringComparison.Ordinal); }
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("multipart/form-data")]
    [InlineData("application/jsonp")]
    public async Task A_post_as_a_page_of_another_site_can_send_it_is_refused(string contentType)
    {
        var job = api.Cluster.Add($"posted-{contentType.Replace('/', '-')}");
        await TestApi.ProblemAsync(await api.PostAsync("jobs/posted/cancel", "{}", contentType), HttpStatusCode.UnsupportedMediaType);
        await TestApi.ProblemAsync(await api.Http.PostAsync("jobs/posted/cancel", content: null), HttpStatusCode.UnsupportedMediaType);
        Assert.Empty(job.Orders);
    }

    [Fact]
    public async Task What_is_not_there_and_what_is_not_allowed_there_are_problems_too()
    {
        await TestApi.ProblemAsync(await api.Http.GetAsync("nothing"), HttpStatusCode.NotFound);
        await TestApi.ProblemAsync(await api.Http.GetAsync("/nowhere"), HttpStatusCode.NotFound);
        Assert.Contains("GET", (await TestApi.ProblemAsync(await api.Http.DeleteAsync("jobs"), HttpStatusCode.MethodNotAllowed)).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_control_plane_that_is_away_is_503_and_not_ready_while_the_process_lives()
    {
        Assert.Equal(HttpStatusCode.OK, (await api.Http.GetAsync("/health/ready")).StatusCode);
        api.Cluster.Outage = new SiloUnavailableException("gone");
        try
        {
            await TestApi.ProblemAsync(await api.Http.GetAsync("jobs"), HttpStatusCode.ServiceUnavailable);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, (await api.Http.GetAsync("/health/ready")).StatusCode);
            Assert.Equal(HttpStatusCode.OK, (await api.Http.GetAsync("/health/live")).StatusCode);
        }
        finally
        {
            api.Cluster.Outage = null;
        }
    }

    [Fact]
    public async Task A_fault_of_our_own_is_500_without_its_words()
    {
        await using var single = await OwnApi.StartAsync();
        var own = single.Api;
        own.Cluster.Outage = new InvalidOperationException("a secret of the inside");
        var problem = await TestApi.ProblemAsync(await own.Http.GetAsync("pool"), HttpStatusCode.InternalServerError);
        Assert.DoesNotContain("secret", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_who_knows_the_secret_ends_the_process()
    {
        await using var single = await OwnApi.StartAsync();
        var own = single.Api;
        await TestApi.ProblemAsync(await own.PostAsync("shutdown", "{}"), HttpStatusCode.Forbidden);
        await Assert.ThrowsAsync<BadInputException>(() => own.Client.ShutdownAsync("a guess", CancellationToken.None));
        Assert.False(own.ShutdownRequested.IsCancellationRequested);

        var ended = new TaskCompletionSource();
        using var registration = own.ShutdownRequested.Register(ended.SetResult);
        await own.Client.ShutdownAsync(TestApi.Secret, CancellationToken.None);
        await ended.Task.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Theory]
    [InlineData("http://0.0.0.0:8080")]
    [InlineData("http://192.0.2.1:80")]
    [InlineData("http://127.0.0.1:8080;http://cluster.example:80")]
    public void An_address_that_others_can_reach_is_refused_unless_it_is_allowed(string urls)
    {
        var settings = new ApiSettings { Urls = urls, Gateway = "", Store = api.Store };
        Assert.Contains("Cluster:", Assert.Throws<BadInputException>(() => settings.Addresses()).Message, StringComparison.Ordinal);
        Assert.Contains("there are no tokens", Assert.Throws<BadInputException>(() => (settings with { AllowRemote = true }).Addresses()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Cluster:Urls", "8080")]
    [InlineData("Cluster:Urls", "ftp://127.0.0.1")]
    [InlineData("Cluster:Urls", "http://127.0.0.1:8080/api")]
    [InlineData("Cluster:AllowRemote", "yes")]
    public void A_wrong_setting_is_refused_by_its_key_and_value(string key, string value)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new(key, value)]).Build();
        var refused = Assert.Throws<BadInputException>(() => ApiSettings.From(configuration, gateway: "").Addresses());
        Assert.Contains(key, refused.Message, StringComparison.Ordinal);
        Assert.Contains(value, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_in_use_is_refused_with_what_to_do()
    {
        var refused = await Assert.ThrowsAsync<BadInputException>(() =>
            ApiHost.StartAsync(new ApiSettings { Urls = api.Url.ToString(), Store = api.Store, Gateway = "" }, api.Cluster.Grains, CancellationToken.None));
        Assert.Contains("is in use", refused.Message, StringComparison.Ordinal);
    }
}
