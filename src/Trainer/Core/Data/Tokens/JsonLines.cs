using System.Text.Json;

namespace Cluster.Trainer.Core.Data.Tokens;

/// <summary>JSON Lines: each line is an object, and one field of it a text. Lines of nothing but space are passed over.</summary>
internal static class JsonLines
{
    private const int BlockBytes = 1 << 20;

    /// <summary>Far more than any document.</summary>
    private const int MaxLineBytes = 256 << 20;

    /// <exception cref="Contracts.BadInputException">A line is no such object; the message has its number.</exception>
    public static IEnumerable<TextPart> Read(string path, string field)
    {
        using var file = DataFile.Open(path);
        var number = 0L;
        foreach (var line in Lines(file))
        {
            number++;
            if (line.Span.Trim(" \t\r"u8).IsEmpty) { continue; }
            yield return new TextPart(Text(file, line, number, field), EndsDocument: true, FormattableString.Invariant($"line {number:N0}"));
        }
    }

    private static byte[] Text(DataFile file, ReadOnlyMemory<byte> line, long number, string field)
    {
        var problem = "";
        try
        {
            using var json = JsonDocument.Parse(line);
            if (json.RootElement.ValueKind != JsonValueKind.Object) { problem = $"holds {Kind(json.RootElement)}, not an object"; }
            else if (!json.RootElement.TryGetProperty(field, out var value)) { problem = $"has no field '{field}'{Fields(json.RootElement)}"; }
            else if (value.ValueKind != JsonValueKind.String) { problem = $"has {Kind(value)} in field '{field}', not a text"; }
            else { return System.Text.Encoding.UTF8.GetBytes(value.GetString()!); }
        }
        catch (JsonException e) { problem = $"is not valid JSON: {e.Message}"; }
        catch (InvalidOperationException e) { problem = $"has a text that is not Unicode in field '{field}': {e.Message}"; }

        throw file.Bad(FormattableString.Invariant($"line {number:N0} {problem}"));
    }

    private static string Fields(JsonElement value) =>
        value.EnumerateObject().Select(property => property.Name).Take(20).ToArray() is { Length: > 0 } names ? $"; it has {string.Join(", ", names)}" : "";

    private static string Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => "null",
        JsonValueKind.Array => "a list",
        JsonValueKind.Object => "an object",
        JsonValueKind.Number => "a number",
        JsonValueKind.String => "a text",
        _ => "true or false",
    };

    /// <summary>Without their ends, nor the mark that some editors put before the first.</summary>
    private static IEnumerable<ReadOnlyMemory<byte>> Lines(DataFile file)
    {
        var bytes = new byte[BlockBytes];
        var (start, end, looked, ended) = (0, 0, 0, false);
        while (true)
        {
            if (bytes.AsSpan(looked, end - looked).IndexOf((byte)'\n') is >= 0 and var found)
            {
                yield return WithoutMark(bytes.AsMemory(start, looked + found - start));
                start = looked = looked + found + 1;
                continue;
            }

            if (ended) { break; }
            bytes.AsSpan(start, end - start).CopyTo(bytes);
            (looked, end, start) = (end - start, end - start, 0);
            if (end > MaxLineBytes) { throw file.Bad($"has a line of more than {MaxLineBytes:N0} bytes"); }
            if (end + BlockBytes > bytes.Length) { Array.Resize(ref bytes, 2 * bytes.Length); }
            var read = file.Read(bytes.AsSpan(end, BlockBytes));
            (end, ended) = (end + read, read < BlockBytes);
        }

        if (start < end) { yield return WithoutMark(bytes.AsMemory(start, end - start)); }
    }

    private static ReadOnlyMemory<byte> WithoutMark(ReadOnlyMemory<byte> line) => line.Span.StartsWith("\uFEFF"u8) ? line[3..] : line;
}
