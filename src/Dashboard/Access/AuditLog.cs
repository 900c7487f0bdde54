using System.Globalization;
using Cluster.Contracts.Api;
using Cluster.Dashboard.Api;

namespace Cluster.Dashboard.Access;

/// <summary>
/// One line for every change that somebody asked for: who, when, what, and what became of it. The category is
/// <see cref="Category"/>, so that it can be sent elsewhere than the other logs.
/// </summary>
internal sealed partial class AuditLog(ILoggerFactory loggers, TimeProvider clock)
{
    public const string Category = "Cluster.Audit";

    private readonly ILogger _logger = loggers.CreateLogger(Category);

    public void LoggedIn(Caller caller, HttpContext context) => Log(caller, context, "logged in");

    public void Changed(Caller caller, HttpContext context, string outcome) => Log(caller, context, outcome);

    private void Log(Caller caller, HttpContext context, string outcome)
    {
        if (!_logger.IsEnabled(LogLevel.Information)) { return; }
        var now = clock.GetUtcNow().ToString("O", CultureInfo.InvariantCulture);
        var address = context.Connection.RemoteIpAddress?.ToString() ?? "unknown";
        var (name, method, path) = (Plain(caller.Name), context.Request.Method, context.Request.Path.ToUriComponent());
        LogChange(now, name, caller.Id, caller.Role, address, method, path, outcome);
    }

    /// <summary>Names come from outside: one line stays one line.</summary>
    private static string Plain(string name) => string.Concat(name.Select(c => char.IsControl(c) ? '?' : c));

    [LoggerMessage(Level = LogLevel.Information, Message = "{Time} {Name} ({Id}, {Role}) at {Address}: {Method} {Path}: {Outcome}")]
    private partial void LogChange(string time, string name, string id, Role role, string address, string method, string path, string outcome);
}

/// <summary>Writes the line of each request that needs more than a viewer, whether it was granted or not.</summary>
internal sealed class AuditChanges(RequestDelegate next, AuditLog audit)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var needed = context.GetEndpoint()?.Metadata.GetOrderedMetadata<NeededRole>() is { Count: > 0 } roles ? roles.Max(r => r.Role) : Role.None;
        if (needed < Role.Submitter || Callers.Of(context.User) is not { } caller)
        {
            await next(context);
            return;
        }

        var outcome = "failed";
        try
        {
            await next(context);
            outcome = context.Response.Headers.Location is { Count: > 0 } made ? $"{context.Response.StatusCode} {made}" : context.Response.StatusCode.ToString(CultureInfo.InvariantCulture);
        }
        catch (ApiRefusal refusal)
        {
            outcome = $"refused with {refusal.Problem.Status}";
            throw;
        }
        finally
        {
            audit.Changed(caller, context, outcome);
        }
    }
}
