using Cluster.Contracts;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Cluster.Dashboard.Api;

/// <summary><c>/health/ready</c>: whether the control plane answers in a moment.</summary>
internal sealed class ControlPlaneCheck(ControlPlane plane) : IHealthCheck
{
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(2);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await plane.PoolAsync(cancellationToken).WaitAsync(Moment, cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (Exception e) when (e is ClusterUnreachableException or TimeoutException)
        {
            return HealthCheckResult.Unhealthy(e.Message);
        }
    }
}
