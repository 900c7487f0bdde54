using System.Net;
using Polly;
using Polly.Retry;

namespace Cluster.Client;

/// <summary>How long a request is tried again while nobody answers, or the control plane is away.</summary>
internal static class Retries
{
    private static readonly HttpRequestOptionsKey<ResiliencePipeline<HttpResponseMessage>> Key = new("cluster.retries");

    /// <summary>Three more times, 0.7 s in all: somebody waits at a prompt.</summary>
    public static ResiliencePipeline<HttpResponseMessage> Moment { get; } = Pipeline(attempts: 3, TimeSpan.FromMilliseconds(100), DelayBackoffType.Exponential);

    /// <summary>Twice a second: somebody watches a job, and the cluster is being restarted.</summary>
    public static ResiliencePipeline<HttpResponseMessage> HalfAMinute { get; } = Pipeline(attempts: 60, TimeSpan.FromMilliseconds(500), DelayBackoffType.Constant);

    /// <summary>For a request that may be sent twice without harm.</summary>
    public static HttpRequestMessage AndRetry(this HttpRequestMessage request, ResiliencePipeline<HttpResponseMessage> patience)
    {
        request.Options.Set(Key, patience);
        return request;
    }

    public static ResiliencePipeline<HttpResponseMessage> Of(HttpRequestMessage request) =>
        request.Options.TryGetValue(Key, out var patience) ? patience : ResiliencePipeline<HttpResponseMessage>.Empty;

    private static ResiliencePipeline<HttpResponseMessage> Pipeline(int attempts, TimeSpan delay, DelayBackoffType growth) =>
        new ResiliencePipelineBuilder<HttpResponseMessage>()
            .AddRetry(new RetryStrategyOptions<HttpResponseMessage>
            {
                ShouldHandle = new PredicateBuilder<HttpResponseMessage>()
                    .Handle<HttpRequestException>()
                    .HandleResult(response => response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout),
                MaxRetryAttempts = attempts,
                Delay = delay,
                BackoffType = growth,
            })
            .Build();
}

internal sealed class RetryHandler : DelegatingHandler
{
    /// <summary>For a factory, which gives it its inner handler.</summary>
    public RetryHandler()
    {
    }

    public RetryHandler(HttpMessageHandler inner)
        : base(inner)
    {
    }

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        Retries.Of(request).ExecuteAsync(async token => await base.SendAsync(request, token), cancellationToken).AsTask();
}
