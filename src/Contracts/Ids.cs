namespace Cluster.Contracts;

/// <summary>Ids of jobs and workers. They become grain keys, names of files and parts of addresses, and stand in log lines.</summary>
public static class Ids
{
    public const int MaxLength = 128;

    public static string Rule { get; } = $"1 to {MaxLength} of a-z, A-Z, 0-9, '-', '_' and '.', beginning with a letter or a digit";

    /// <summary>Whether it follows <see cref="Rule"/>. One that does is a plain file name on every system: never <c>..</c>, never a path.</summary>
    public static bool IsValid(string id) =>
        id is { Length: > 0 and <= MaxLength }
        && char.IsAsciiLetterOrDigit(id[0])
        && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
