using System.Text;
using Cluster.Contracts;

namespace Cluster.Trainer.Core.Data.Clients;

/// <summary>
/// The parts of a play. Paragraphs are set apart by empty lines; one whose first line ends in a colon begins a speech of the
/// speaker whom that line names, any other one goes on with the speech before.
/// </summary>
internal static class Speakers
{
    /// <summary>A longer line is no name, though it may end in a colon.</summary>
    private const int MaxNameBytes = 64;

    /// <summary>Each speaker's text, speeches in their order with an empty line between them; those with the most text first, then by name.</summary>
    /// <param name="play">UTF-8 or any encoding that has ASCII's line ends and colons.</param>
    /// <param name="source">Names it in messages.</param>
    /// <exception cref="BadInputException">Nobody speaks in it.</exception>
    public static IReadOnlyList<(string Name, byte[] Text)> Of(ReadOnlySpan<byte> play, string source)
    {
        var parts = new Dictionary<string, MemoryStream>();
        MemoryStream? speech = null;
        var isFirst = true; // Of its paragraph.
        while (!play.IsEmpty)
        {
            var end = play.IndexOf((byte)'\n');
            var line = (end < 0 ? play : play[..end]).TrimEnd((byte)'\r');
            play = end < 0 ? [] : play[(end + 1)..];
            if (isFirst && NameIn(line) is { } name)
            {
                if (!parts.TryGetValue(name, out speech)) { parts[name] = speech = new MemoryStream(); }
                isFirst = false;
                continue;
            }

            isFirst = line.IsEmpty;
            speech?.Write(line);
            speech?.WriteByte((byte)'\n');
        }

        if (parts.Count == 0) { throw new BadInputException($"nobody speaks in {source}: no paragraph begins with a name and a colon on a line of its own"); }
        return [.. parts.Select(part => (Name: part.Key, Text: part.Value.ToArray())).OrderByDescending(part => part.Text.Length).ThenBy(part => part.Name, StringComparer.Ordinal)];
    }

    private static string? NameIn(ReadOnlySpan<byte> line) =>
        line.Length is > 1 and <= MaxNameBytes && line[^1] == ':' && Encoding.UTF8.GetString(line[..^1]).Trim() is { Length: > 0 } name ? name : null;
}
