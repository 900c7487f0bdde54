using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Cluster.Contracts.Api;
using Cluster.Dashboard.Access;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Cluster.Dashboard.Api;

/// <summary><c>/cluster</c>: what answers here. <c>/shutdown</c>: ends it, for whoever started it.</summary>
internal static class ClusterRoutes
{
    private static readonly string Version =
        typeof(ClusterRoutes).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    public static void MapCluster(this RouteGroupBuilder api)
    {
        api.MapGet("/cluster", Show).For(Role.Viewer)
            .Answers<ClusterView>("ShowCluster", "What answers here");
        api.MapPost("/shutdown", Shutdown).For(Role.Admin)
            .WithName("EndCluster").WithSummary("Ends the cluster, for whoever started it").Produces(202);
    }

    private static JsonHttpResult<ClusterView> Show(ApiSettings settings, Uptime uptime) =>
        TypedResults.Json(new ClusterView(Version, settings.Gateway, Math.Round(uptime.Elapsed.TotalSeconds, 1)), ApiJson.Default.ClusterView);

    private static StatusCodeHttpResult Shutdown(HttpContext context, ApiSettings settings, IHostApplicationLifetime lifetime)
    {
        var given = Encoding.UTF8.GetBytes(context.Request.Headers[ClusterView.SecretHeader].ToString());
        if (settings.ShutdownSecret is not { } secret || !CryptographicOperations.FixedTimeEquals(given, Encoding.UTF8.GetBytes(secret)))
        {
            throw new ApiRefusal(StatusCodes.Status403Forbidden, "Not allowed", "only the one who started this cluster can end it");
        }

        context.Response.OnCompleted(() =>
        {
            lifetime.StopApplication(); // Whoever hosts the API waits for that, and ends everything in order.
            return Task.CompletedTask;
        });
        return TypedResults.StatusCode(StatusCodes.Status202Accepted);
    }
}

/// <summary>How long this process answers.</summary>
internal sealed class Uptime(TimeProvider clock)
{
    private readonly long _began = clock.GetTimestamp();

    public TimeSpan Elapsed => clock.GetElapsedTime(_began);
}
