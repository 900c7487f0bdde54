using Parquet;
using Parquet.Schema;

namespace Cluster.Cli.Curves;

/// <summary>Curves as a Parquet file of one row group: <c>round</c> and <c>samplesSeen</c> are int64, curves are doubles with nulls.</summary>
internal static class ParquetCurves
{
    public static async Task WriteAsync(CurveTable table, Stream into)
    {
        var schema = new ParquetSchema([new DataField<long>("round"), new DataField<long>("samplesSeen"), .. table.Columns.Select(column => new DataField<double?>(column.Name))]);
        await using var writer = await ParquetWriter.CreateAsync(schema, into);
        using var rows = writer.CreateRowGroup();
        await rows.WriteAsync<long>(schema.DataFields[0], table.Rounds.AsMemory());
        await rows.WriteAsync<long>(schema.DataFields[1], table.SamplesSeen.AsMemory());
        for (var c = 0; c < table.Columns.Count; c++)
        {
            await rows.WriteAsync<double>(schema.DataFields[c + 2], (ReadOnlyMemory<double?>)table.Columns[c].Values.AsMemory());
        }

        rows.CompleteValidate();
    }
}
