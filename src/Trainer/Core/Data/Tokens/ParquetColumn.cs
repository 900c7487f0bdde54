using System.Runtime.CompilerServices;
using System.Text;
using Cluster.Contracts;
using Parquet;
using Parquet.Schema;

namespace Cluster.Trainer.Core.Data.Tokens;

/// <summary>A column of text in a Parquet file. One row group's part of that column is in memory at a time.</summary>
internal static class ParquetColumn
{
    /// <exception cref="BadInputException">The file is no Parquet, has no such column, or a row has no text.</exception>
    public static async IAsyncEnumerable<TextPart> ReadAsync(string path, string column, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        DataFile.Open(path).Dispose(); // Says what is wrong with the file as such.
        await using var reader = await Understood(path, async () => await ParquetReader.CreateAsync(path, cancellationToken: cancellationToken));
        var field = FieldOf(reader.Schema, path, column);
        var row = 0L;
        for (var group = 0; group < reader.RowGroupCount; group++)
        {
            foreach (var text in await Understood(path, () => ReadGroupAsync(reader, group, field, cancellationToken)))
            {
                row++;
                yield return text is null
                    ? throw new BadInputException(FormattableString.Invariant($"{path} row {row:N0} has null in column '{column}', not a text"))
                    : new TextPart(Encoding.UTF8.GetBytes(text), EndsDocument: true, FormattableString.Invariant($"row {row:N0}"));
            }
        }
    }

    private static async Task<string?[]> ReadGroupAsync(ParquetReader reader, int group, DataField field, CancellationToken cancellationToken)
    {
        using var rows = reader.OpenRowGroupReader(group);
        var texts = new string?[checked((int)rows.RowCount)];
        await rows.ReadAsync(field, texts.AsMemory(), cancellationToken: cancellationToken);
        return texts;
    }

    private static DataField FieldOf(ParquetSchema schema, string path, string column)
    {
        var fields = schema.DataFields;
        var field = fields.FirstOrDefault(field => field.Path.ToString() == column)
            ?? throw new BadInputException($"{path} has no column '{column}'; it has {string.Join(", ", fields.Take(50).Select(f => f.Path.ToString()))}");
        return !field.IsArray && field.MaxRepetitionLevel == 0 && (field.ClrType == typeof(ReadOnlyMemory<char>) || field.ClrType == typeof(string))
            ? field
            : throw new BadInputException($"{path}: column '{column}' holds {field.ClrType.Name}, not texts");
    }

    /// <summary>
    /// A damaged file makes the library fail in many ways, out of memory for a length that is none among them; all mean the same to
    /// whoever gave it.
    /// </summary>
    private static async Task<T> Understood<T>(string path, Func<Task<T>> read)
    {
        try { return await read(); }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new BadInputException($"{path} is damaged or no Parquet file: {e.Message}");
        }
    }
}
