using System.Text;
using Cluster.Contracts;

namespace Cluster.Trainer.Core.Data.Tokens;

/// <summary>A piece of a document, as it is read.</summary>
/// <param name="Utf8">Valid until the next part is asked for.</param>
/// <param name="EndsDocument">The document ends with it.</param>
/// <param name="Place">Where it stands in its source, for messages: "line 7", or "byte 1,048,576".</param>
internal readonly record struct TextPart(ReadOnlyMemory<byte> Utf8, bool EndsDocument, string Place);

/// <summary>How text lies in a file.</summary>
internal enum TextFormat
{
    None = 0,

    /// <summary>The file is one document, as it is.</summary>
    Text,

    /// <summary>Each line is a JSON object; a field of it is the document.</summary>
    Jsonl,

    /// <summary>Each row has a document in a column of text.</summary>
    Parquet,
}

/// <summary>A file with text, read in bounded memory: a part of a text, a line, or a row group's column at a time.</summary>
/// <param name="Path">Of the file; text and lines may be gzip.</param>
/// <param name="Field">Of a line's object, or the column.</param>
internal sealed record TextSource(string Path, TextFormat Format, string Field)
{
    /// <summary>The format that a file's name tells: <c>.jsonl</c>, <c>.ndjson</c>, <c>.parquet</c>, else text.</summary>
    public static TextFormat FormatOf(string path)
    {
        var name = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? path[..^3] : path;
        return System.IO.Path.GetExtension(name).ToLowerInvariant() switch
        {
            ".jsonl" or ".ndjson" => TextFormat.Jsonl,
            ".parquet" => TextFormat.Parquet,
            _ => TextFormat.Text,
        };
    }

    /// <exception cref="BadInputException">The file is missing, damaged, or not of the format; the message says where.</exception>
    public IAsyncEnumerable<TextPart> ReadAsync(CancellationToken cancellationToken) => Format switch
    {
        TextFormat.Text => PlainText.Read(Path).ToAsyncEnumerable(),
        TextFormat.Jsonl => JsonLines.Read(Path, Field).ToAsyncEnumerable(),
        TextFormat.Parquet => ParquetColumn.ReadAsync(Path, Field, cancellationToken),
        _ => throw new InvalidOperationException($"there is no reader for the format {Format}"),
    };

    /// <param name="part">Of this source.</param>
    public BadInputException NotUtf8(in TextPart part, DecoderFallbackException e) =>
        new($"{Path} is not UTF-8: {part.Place} and {e.Index:N0} bytes further on stands {string.Join(' ', (e.BytesUnknown ?? []).Select(b => $"0x{b:x2}"))}. Convert it, or take the tokenizer '{ByteTokenizer.Name}', which reads any bytes");
}
