namespace Cluster.Grains;

/// <summary>Ids of jobs and workers: they become grain keys and stand in log lines.</summary>
internal static class Names
{
    public const int MaxLength = 128;

    public static string Rule { get; } = $"1 to {MaxLength} of a-z, A-Z, 0-9, '-', '_' and '.'";

    public static bool IsId(string id) =>
        id is { Length: > 0 and <= MaxLength } && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');

    public static string Cut(string text, int length) => text.Length <= length ? text : text[..length];
}
