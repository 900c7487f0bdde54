using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Cluster.Cli.Curves;
using Cluster.Contracts.Jobs;
using Google.Protobuf;
using Parquet;

namespace Cluster.Tests.Exports;

/// <summary>What is written is read back, by other code than wrote it.</summary>
public sealed class CurveTests
{
    private static readonly DateTime s_began = new(2026, 11, 28, 12, 0, 0, DateTimeKind.Utc);

    /// <summary>Points of 2 rounds, one of which has no accuracy; a name that CSV must quote.</summary>
    private static readonly MetricsView s_metrics = new(
        2, [2, 4, 5], [128, 256, 320],
        ImmutableDictionary<string, MetricSeries>.Empty
            .Add("loss", new([0.1 + 0.2, 1e-300, -3], [0.25, 1e-301, -3], [0.35, 2e-300, -3]))
            .Add("evalAccuracy", new([null, 0.5, null], [null, 0.5, null], [null, 0.5, null]))
            .Add("odd,\"name\"", new([1, 2, 3], [1, 2, 3], [1, 2, 3])),
        5);

    private static readonly CurveTable s_table = CurveTable.Of(s_metrics);

    private static readonly string[] s_names =
        ["evalAccuracy", "evalAccuracy.min", "evalAccuracy.max", "loss", "loss.min", "loss.max", "odd,\"name\"", "odd,\"name\".min", "odd,\"name\".max"];

    [Fact]
    public async Task Csv_reads_back_as_the_same_numbers()
    {
        using var file = new MemoryStream();
        await CsvCurves.WriteAsync(s_table, file);
        var lines = Encoding.UTF8.GetString(file.ToArray()).Split("\r\n");

        Assert.Equal("round,samplesSeen,evalAccuracy,evalAccuracy.min,evalAccuracy.max,loss,loss.min,loss.max,\"odd,\"\"name\"\"\",\"odd,\"\"name\"\".min\",\"odd,\"\"name\"\".max\"", lines[0]);
        Assert.Equal(["", ""], [lines[^1], lines[1].Split(',')[2]]);
        Assert.Equal([2, 4, 5], lines[1..^1].Select(line => long.Parse(line.Split(',')[0], CultureInfo.InvariantCulture)));
        Assert.Equal([0.1 + 0.2, 1e-300, -3], lines[1..^1].Select(line => double.Parse(line.Split(',')[5], CultureInfo.InvariantCulture)));
    }

    [Fact]
    public async Task Parquet_reads_back_as_the_same_numbers_and_nulls()
    {
        using var file = new MemoryStream();
        await ParquetCurves.WriteAsync(s_table, file);
        file.Position = 0;
        await using var reader = await ParquetReader.CreateAsync(file);
        Assert.Equal(["round", "samplesSeen", .. s_names], reader.Schema.DataFields.Select(field => field.Name));
        using var rows = reader.OpenRowGroupReader(0);
        Assert.Equal(3, rows.RowCount);
        var rounds = new long[3];
        await rows.ReadAsync(reader.Schema.DataFields[0], rounds.AsMemory());
        Assert.Equal([2, 4, 5], rounds);
        for (var c = 0; c < s_names.Length; c++)
        {
            var values = new double?[3];
            await rows.ReadAsync(reader.Schema.DataFields[c + 2], values.AsMemory());
            Assert.Equal(s_table.Columns[c].Values, values);
        }
    }

    [Fact]
    public void TensorBoards_file_reads_back_record_by_record()
    {
        using var file = new MemoryStream();
        TensorBoardCurves.Write(s_table, s_began, file);
        var events = Records(file.ToArray()).Select(Fields).ToArray();

        Assert.Equal(4, events.Length);
        Assert.All(events, e => Assert.Equal(1_795_867_200.0, BitConverter.Int64BitsToDouble((long)e.Single(f => f.Number == 1).Value)));
        Assert.Equal("brain.Event:2", Encoding.UTF8.GetString(events[0].Single(f => f.Number == 3).Bytes));
        Assert.Equal([2L, 4L, 5L], events[1..].Select(e => (long)e.Single(f => f.Number == 2).Value));
        var scalars = events[1..].Select(e => Fields(e.Single(f => f.Number == 5).Bytes).Select(value => Fields(value.Bytes))
            .ToDictionary(v => Encoding.UTF8.GetString(v.Single(f => f.Number == 1).Bytes), v => BitConverter.Int32BitsToSingle((int)v.Single(f => f.Number == 2).Value))).ToArray();
        Assert.Equal([6, 9, 6], scalars.Select(s => s.Count));
        Assert.Equal([0.3f, 0f, -3f], scalars.Select(s => s["loss"])); // 1e-300 is none of float32.
        Assert.Equal((0.5f, 3f), (scalars[1]["evalAccuracy"], scalars[2]["odd,\"name\""]));
        Assert.Equal("events.out.tfevents.1795867200.digits-1", TensorBoardCurves.FileName("digits-1", s_began));
    }

    /// <summary>RFC 3720, B.4: 32 bytes of zeros, of ones, rising and falling; and the check value of the CRC catalogue.</summary>
    [Fact]
    public void The_checksum_is_the_published_one()
    {
        Assert.Equal(0x8a9136aau, TfRecord.Crc32C(new byte[32]));
        Assert.Equal(0x62a8ab43u, TfRecord.Crc32C([.. Enumerable.Repeat((byte)0xff, 32)]));
        Assert.Equal(0x46dd794eu, TfRecord.Crc32C([.. Enumerable.Range(0, 32).Select(i => (byte)i)]));
        Assert.Equal(0x113fdb5cu, TfRecord.Crc32C([.. Enumerable.Range(0, 32).Select(i => (byte)(31 - i))]));
        Assert.Equal(0xe3069283u, TfRecord.Crc32C("123456789"u8));
    }

    /// <summary>The first record of every event file that TensorFlow writes: 24 bytes, whose length's masked checksum is a3 7f 4b 22.</summary>
    [Fact]
    public void The_mask_is_TensorFlows()
    {
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, 24);
        Assert.Equal(0x224b7fa3u, TfRecord.MaskedCrc(length));
    }

    /// <summary>A reader that knows the layout by its description: length, checksum, bytes, checksum.</summary>
    private static IEnumerable<byte[]> Records(byte[] file)
    {
        for (var at = 0; at < file.Length;)
        {
            var length = (int)BinaryPrimitives.ReadInt64LittleEndian(file.AsSpan(at));
            Assert.Equal(Masked(file.AsSpan(at, 8)), BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 8)));
            Assert.Equal(Masked(file.AsSpan(at + 12, length)), BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 12 + length)));
            yield return file[(at + 12)..(at + 12 + length)];
            at += 16 + length;
        }
    }

    /// <summary>Bit by bit, from the polynomial.</summary>
    private static uint Masked(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++) { crc = (crc >> 1) ^ ((crc & 1) * 0x82f63b78u); }
        }

        crc = ~crc;
        return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
    }

    private static List<(int Number, ulong Value, byte[] Bytes)> Fields(byte[] message)
    {
        using var input = new CodedInputStream(message);
        var fields = new List<(int, ulong, byte[])>();
        while (input.ReadTag() is not 0 and var tag)
        {
            var number = WireFormat.GetTagFieldNumber(tag);
            fields.Add(WireFormat.GetTagWireType(tag) switch
            {
                WireFormat.WireType.Varint => (number, input.ReadUInt64(), []),
                WireFormat.WireType.Fixed64 => (number, input.ReadFixed64(), []),
                WireFormat.WireType.Fixed32 => (number, input.ReadFixed32(), []),
                _ => (number, 0, input.ReadBytes().ToByteArray()),
            });
        }

        return fields;
    }
}
