namespace Cluster.Contracts.Api;

/// <summary>
/// Names of the Server-Sent Events of the API. A stream that breaks off without <see cref="End"/> is asked for again with the
/// header <c>Last-Event-ID</c>, and goes on behind that event.
/// </summary>
public static class ApiEvents
{
    /// <summary>The job, with the samples that are new since the event before; its submission is left out.</summary>
    public const string Job = "job";

    /// <summary>New lines of logs.</summary>
    public const string Log = "log";

    /// <summary>Nothing new: the connection stands. The first event, and one every so often.</summary>
    public const string Ping = "ping";

    /// <summary>The job has ended and everything was sent.</summary>
    public const string End = "end";
}
