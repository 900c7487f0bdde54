using System.Globalization;
using System.Threading.RateLimiting;
using Cluster.Dashboard.Api;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Net.Http.Headers;

namespace Cluster.Dashboard.Access;

/// <summary>
/// How often somebody may ask: each token for itself, strangers by their address and far less. Open event streams are counted
/// apart, because each of them is one request that lasts.
/// </summary>
internal static class RateRules
{
    public const string Streams = "streams";

    /// <summary>So many seconds' worth may come at once.</summary>
    private const int Burst = 4;

    public static IServiceCollection AddRateRules(this IServiceCollection services, ApiSettings settings) => services.AddRateLimiter(options =>
    {
        options.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(context => Callers.Of(context.User) is { } caller
            ? Bucket($"caller {caller.Id}", settings.RequestsPerSecond)
            : Bucket($"address {context.Connection.RemoteIpAddress}", settings.StrangersPerSecond));
        options.AddPolicy(Streams, context => RateLimitPartition.GetConcurrencyLimiter(
            Callers.Of(context.User)?.Id ?? "", _ => new ConcurrencyLimiterOptions { PermitLimit = settings.StreamsPerCaller }));
        options.OnRejected = (rejected, _) =>
        {
            var wait = rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? Math.Max(1, (int)Math.Ceiling(after.TotalSeconds)) : 1;
            rejected.HttpContext.Response.Headers[HeaderNames.RetryAfter] = wait.ToString(CultureInfo.InvariantCulture);
            throw new ApiRefusal(StatusCodes.Status429TooManyRequests, "Too many requests", string.Create(CultureInfo.InvariantCulture,
                $"more requests came, or more event streams are open, than one caller may have; ask again in {wait} s"));
        };
    });

    private static RateLimitPartition<string> Bucket(string key, int perSecond) => RateLimitPartition.GetTokenBucketLimiter(key, _ => new TokenBucketRateLimiterOptions
    {
        TokenLimit = perSecond * Burst,
        TokensPerPeriod = perSecond,
        ReplenishmentPeriod = TimeSpan.FromSeconds(1),
    });
}
