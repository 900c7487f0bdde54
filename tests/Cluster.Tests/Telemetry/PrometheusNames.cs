using System.Text.RegularExpressions;

namespace Cluster.Tests.Telemetry;

/// <summary>Names as Prometheus has them: other characters become '_', the unit and for counters '_total' are appended.</summary>
internal static partial class PrometheusNames
{
    public static string Of(string instrument, string kind, string? unit)
    {
        var name = NotInNames().Replace(instrument, "_");
        var suffix = unit switch { "By" => "_bytes", "s" => "_seconds", "ms" => "_milliseconds", "1" => "_ratio", null or "" => "", ['{', ..] => "", var other => $"_{other}" };
        return (name.EndsWith(suffix, StringComparison.Ordinal) ? name : name + suffix) + (kind == "counter" ? "_total" : "");
    }

    [GeneratedRegex("[^A-Za-z0-9_]")]
    private static partial Regex NotInNames();
}
