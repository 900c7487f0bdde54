using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Memory;

namespace Cluster.ServiceDefaults;

/// <summary>
/// How much Orleans says by default. Below these levels it tells, with stack traces, what a silo that is lost means to each of its
/// parts; what it means to people is told by our own lines.
/// </summary>
public static class OrleansLogLevels
{
    private static readonly Dictionary<string, string?> s_defaults = new()
    {
        ["Logging:LogLevel:Microsoft.Hosting"] = "Warning",
        ["Logging:LogLevel:Orleans"] = "Error", // Its warnings advise on server GC and doubt a clock that has just begun.
        ["Logging:LogLevel:Orleans.Messaging"] = "Critical",
        ["Logging:LogLevel:Orleans.Runtime.GrainDirectory"] = "Critical",
        ["Logging:LogLevel:Orleans.Runtime.MembershipService.MembershipTableManager"] = "Warning", // Which silo is lost.
        ["Logging:LogLevel:Polly"] = "Critical", // Orleans' placement: several lines for each grain.
    };

    /// <summary>Below all other sources, so that any of them can say otherwise.</summary>
    public static void AddOrleansLogLevels(this ConfigurationManager configuration) =>
        ((IConfigurationBuilder)configuration).Sources.Insert(0, new MemoryConfigurationSource { InitialData = s_defaults });
}
