using System.Text;
using Cluster.Contracts;
using Cluster.Tests.Data;
using Cluster.Trainer.Core.Data.Tokens;
using Parquet;
using Parquet.Schema;

namespace Cluster.Tests.Tokens;

public sealed class TextSourceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("a.txt", "Text"), InlineData("a.jsonl", "Jsonl"), InlineData("a.NDJSON.gz", "Jsonl"), InlineData("a.parquet", "Parquet"), InlineData("README", "Text"), InlineData("a.md.gz", "Text")]
    public void The_name_tells_the_format(string path, string format) => Assert.Equal(format, TextSource.FormatOf(path).ToString());

    [Fact]
    public async Task Json_lines_give_a_document_each()
    {
        var lines = "\uFEFF{\"id\": 1, \"text\": \"one\\nline\"}\r\n\n  \n{\"text\": \"\"}\n{\"text\": \"é😀\\u00e9\", \"more\": {\"text\": 3}}"u8.ToArray();
        foreach (var path in (string[])[_folder.Write("a.jsonl", lines), _folder.Write("a.jsonl.gz", TemporaryFolder.Gzip(lines))])
        {
            Assert.Equal([("one\nline", "line 1"), ("", "line 4"), ("é😀é", "line 5")], await ReadAsync(new TextSource(path, TextFormat.Jsonl, "text")));
        }
    }

    [Fact]
    public async Task Lines_may_be_longer_than_what_is_read_at_once()
    {
        string[] texts = [new('a', 3_000_000), "b", new('c', 1 << 20), new('d', (1 << 20) - 12)];
        var path = _folder.Write("a.jsonl", string.Concat(texts.Select(text => $"{{\"text\":\"{text}\"}}\n")));
        Assert.Equal(texts, (await ReadAsync(new TextSource(path, TextFormat.Jsonl, "text"))).Select(document => document.Text));
    }

    [Theory]
    [InlineData("{\"text\": \"a\"}\n{\"text\": 1}", "a.jsonl line 2 has a number in field 'text', not a text")]
    [InlineData("{\"text\": null}", "a.jsonl line 1 has null in field 'text', not a text")]
    [InlineData("\n\n{\"body\": \"a\", \"id\": 1}", "a.jsonl line 3 has no field 'text'; it has body, id")]
    [InlineData("[\"a\"]", "a.jsonl line 1 holds a list, not an object")]
    [InlineData("{\"text\": \"a\"}\n{\"text\": \"a", "a.jsonl line 2 is not valid JSON: ")]
    [InlineData("{\"text\": \"\\ud800\"}", "a.jsonl line 1 has a text that is not Unicode in field 'text': ")]
    [InlineData("", "a.jsonl is empty")]
    public async Task A_wrong_line_is_named(string text, string problem)
    {
        var source = new TextSource(_folder.Write("a.jsonl", text), TextFormat.Jsonl, "text");
        Assert.Contains(problem, (await Assert.ThrowsAsync<BadInputException>(() => ReadAsync(source))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Parquet_gives_a_document_for_each_row_of_all_groups()
    {
        var path = await WriteParquetAsync(["one", "", "é😀"], ["four"]);
        Assert.Equal([("one", "row 1"), ("", "row 2"), ("é😀", "row 3"), ("four", "row 4")], await ReadAsync(new TextSource(path, TextFormat.Parquet, "body")));
    }

    [Theory]
    [InlineData("text", "a.parquet has no column 'text'; it has id, body")]
    [InlineData("id", "a.parquet: column 'id' holds Int32, not texts")]
    [InlineData("body", "a.parquet row 3 has null in column 'body', not a text")]
    public async Task A_wrong_column_or_row_is_named(string column, string problem)
    {
        var source = new TextSource(await WriteParquetAsync(["a", "b"], [null, "c"]), TextFormat.Parquet, column);
        Assert.Contains(problem, (await Assert.ThrowsAsync<BadInputException>(() => ReadAsync(source))).Message, StringComparison.Ordinal);
    }

    /// <summary>Cut off anywhere, or with a byte of its pages or its footer changed: refused with the file's name, or read as it was.</summary>
    [Fact]
    public async Task A_damaged_parquet_file_is_refused_by_name()
    {
        var path = await WriteParquetAsync(["one", "two", "three"]);
        var whole = File.ReadAllBytes(path);
        var expected = await ReadAsync(new TextSource(path, TextFormat.Parquet, "body"));
        for (var length = 0; length < whole.Length; length += 13)
        {
            File.WriteAllBytes(path, whole[..length]);
            var refused = await Assert.ThrowsAsync<BadInputException>(() => ReadAsync(new TextSource(path, TextFormat.Parquet, "body")));
            Assert.Contains("a.parquet", refused.Message, StringComparison.Ordinal);
        }

        File.WriteAllBytes(path, [.. whole[..^8], 0xff, 0xff, 0xff, 0x7f, .. whole[^4..]]); // The footer's length.
        Assert.Contains("is damaged or no Parquet file", (await Assert.ThrowsAsync<BadInputException>(() => ReadAsync(new TextSource(path, TextFormat.Parquet, "body")))).Message, StringComparison.Ordinal);
        File.WriteAllBytes(path, whole);
        Assert.Equal(expected, await ReadAsync(new TextSource(path, TextFormat.Parquet, "body")));
    }

    private static async Task<List<(string Text, string Place)>> ReadAsync(TextSource source)
    {
        var documents = new List<(string, string)>();
        await foreach (var part in source.ReadAsync(CancellationToken.None))
        {
            Assert.True(part.EndsDocument);
            documents.Add((Encoding.UTF8.GetString(part.Utf8.Span), part.Place));
        }

        return documents;
    }

    private Task<string> WriteParquetAsync(params string?[][] groups) => WriteParquetAsync(Path.Combine(_folder.Path, "a.parquet"), groups);

    internal static async Task<string> WriteParquetAsync(string path, params string?[][] groups)
    {
        var schema = new ParquetSchema(new DataField<int>("id"), new DataField<string>("body"));
        await using var file = File.Create(path);
        await using var writer = await ParquetWriter.CreateAsync(schema, file);
        foreach (var group in groups)
        {
            using var rows = writer.CreateRowGroup();
            await rows.WriteAsync<int>(schema.DataFields[0], Enumerable.Range(0, group.Length).ToArray());
            await rows.WriteAsync(schema.DataFields[1], group!);
            rows.CompleteValidate();
        }

        return path;
    }
}
