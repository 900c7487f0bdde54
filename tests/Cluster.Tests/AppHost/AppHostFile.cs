using System.Text.RegularExpressions;
using Cluster.Tests.Spec;

namespace Cluster.Tests.AppHost;

/// <summary>
/// src/AppHost/apphost.cs as text. It is built with Aspire's packages and is therefore not part of the solution: what it names is read
/// here, and held against the code by <see cref="AppHostTests"/>. <c>eng/check-apphost</c> builds and runs it.
/// </summary>
internal static class AppHostFile
{
    public static string Root { get; } = SpecSamples.Root;

    public static string Folder { get; } = Path.Combine(Root, "src", "AppHost");

    public static string Text { get; } = File.ReadAllText(Path.Combine(Folder, "apphost.cs"));

    /// <summary>The comment before the first directive: the settings, for people.</summary>
    public static string Head { get; } = Text[..Text.IndexOf("#:sdk", StringComparison.Ordinal)];

    public static string Code { get; } = Text[Head.Length..];

    /// <summary>What stands in the first group of each match, each text once.</summary>
    public static string[] All(string pattern, string? text = null) =>
        [.. Regex.Matches(text ?? Code, pattern).Select(match => match.Groups[1].Value).Distinct(StringComparer.Ordinal)];

    /// <summary>Configuration keys that are set for one process: the names of the builders that stand for it, and of no other.</summary>
    public static string[] KeysFor(params string[] builders)
    {
        var statements = Code.Split(';').Select(statement => statement.Trim()).Where(statement =>
            builders.Any(name => Regex.IsMatch(statement, $@"(^|[\n({{ ]|=> )(var )?{name}( =|\.|\s*\n\s*\.)")));
        return [.. statements.SelectMany(statement => All("""WithEnvironment\("((?:Cluster|Orleans)__\w+)""", statement)).Select(key => key.Replace("__", ":", StringComparison.Ordinal)).Distinct()];
    }
}
