using System.Diagnostics;

namespace Cluster.Contracts.Telemetry;

/// <summary>
/// The trace in which a job was submitted, as it travels with the job: the header <c>traceparent</c> of W3C Trace Context, 55
/// characters. Whoever works on the job, now or after a restart, adds to that trace.
/// </summary>
public static class TraceLink
{
    public const int Length = 55;

    /// <summary>Where this thread of execution is; null where nobody keeps the trace.</summary>
    public static string? Here => Activity.Current is { Recorded: true, IdFormat: ActivityIdFormat.W3C, Id: { } id } ? id : null;

    /// <summary>Null for none, and for what is none.</summary>
    public static ActivityContext? Parse(string? traceParent) =>
        ActivityContext.TryParse(traceParent, traceState: null, isRemote: true, out var context) ? context : null;
}
