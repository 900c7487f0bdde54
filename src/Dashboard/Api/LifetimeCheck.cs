using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Cluster.Dashboard.Api;

/// <summary>
/// <c>/health/startup</c>: everything in the process has started, which a silo had to answer for. <c>/health/ready</c>: and it was not
/// asked to end.
/// </summary>
internal sealed class LifetimeCheck(IHostApplicationLifetime lifetime) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var isEnding = context.Registration.Tags.Contains(ClusterApi.Ready) && lifetime.ApplicationStopping.IsCancellationRequested;
        return Task.FromResult(lifetime.ApplicationStarted.IsCancellationRequested && !isEnding ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy());
    }
}
