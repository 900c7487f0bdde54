using System.Net;
using Cluster.Contracts;
using Microsoft.Extensions.Hosting;

namespace Cluster.ServiceDefaults;

/// <summary>
/// Answers the probes of whoever watches over a process that has no web server of its own, with a status and no body: 200 for yes,
/// 503 for no. It asks nothing of the cluster, so that an outage elsewhere ends no process here.
/// </summary>
/// <remarks>
/// <list type="bullet">
/// <item><c>/health/live</c>: the process answers.</item>
/// <item><c>/health/startup</c>: it has started: a silo is a member of its cluster, a client has found a silo.</item>
/// <item><c>/health/ready</c>: it has started, and was not asked to end.</item>
/// </list>
/// Open from before the start until after the end of everything else in the host. Metrics are at the same port
/// (<see cref="TelemetryExtensions.ScrapePath"/>), from another listener.
/// </remarks>
internal sealed class HealthDoor : IHostedService, IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly IHostApplicationLifetime _lifetime;

    /// <exception cref="BadInputException">The port cannot be had.</exception>
    public HealthDoor(int port, IHostApplicationLifetime lifetime)
    {
        _lifetime = lifetime;
        _listener.Prefixes.Add($"http://*:{port}/health/");
        try
        {
            _listener.Start();
        }
        catch (HttpListenerException e)
        {
            throw new BadInputException($"port {port} cannot be opened, and {HealthExtensions.PortKey} asks for it: {e.Message}");
        }

        _ = AnswerAsync();
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _listener.Close();

    internal static HttpStatusCode Answer(string? path, bool hasStarted, bool isEnding) => path switch
    {
        "/health/live" => HttpStatusCode.OK,
        "/health/startup" => hasStarted ? HttpStatusCode.OK : HttpStatusCode.ServiceUnavailable,
        "/health/ready" => hasStarted && !isEnding ? HttpStatusCode.OK : HttpStatusCode.ServiceUnavailable,
        _ => HttpStatusCode.NotFound,
    };

    private async Task AnswerAsync()
    {
        while (_listener.IsListening)
        {
            try
            {
                var context = await _listener.GetContextAsync();
                context.Response.StatusCode = (int)Answer(
                    context.Request.Url?.AbsolutePath, _lifetime.ApplicationStarted.IsCancellationRequested, _lifetime.ApplicationStopping.IsCancellationRequested);
                context.Response.Close();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException or IOException)
            {
                // The door was closed, or whoever asked did not wait for the answer.
            }
        }
    }
}
