using System.Buffers.Binary;
using System.Numerics;
using Google.Protobuf;

namespace Cluster.Cli.Curves;

/// <summary>
/// Curves as an event file of TensorBoard: a record for each point, with a scalar for each curve that has a value there; the step is the
/// round. Field numbers are those of <c>event.proto</c> and <c>summary.proto</c>. Values are float32 there.
/// </summary>
/// <remarks>
/// A job's record has no time for each round, so every event has the time at which the job began: TensorBoard's axes "relative" and "wall"
/// say nothing.
/// </remarks>
internal static class TensorBoardCurves
{
    public const string FileVersion = "brain.Event:2";

    private const int WallTime = 1, Step = 2, FileVersionField = 3, Summary = 5; // event.proto: Event
    private const int Value = 1, Tag = 1, SimpleValue = 2;                       // summary.proto: Summary.value, Summary.Value

    /// <summary>TensorBoard takes the files of a folder that have "tfevents" in their names.</summary>
    public static string FileName(string jobId, DateTime began) => FormattableString.Invariant($"events.out.tfevents.{Seconds(began):F0}.{jobId}");

    /// <param name="began">UTC.</param>
    public static void Write(CurveTable table, DateTime began, Stream into)
    {
        TfRecord.Write(into, Message(m => Event(m, began, FileVersionField, ByteString.CopyFromUtf8(FileVersion), step: null)));
        for (var i = 0; i < table.Rounds.Length; i++)
        {
            var values = table.Columns.Where(column => column.Values[i] is not null).Select(column => (column.Name, Value: (float)column.Values[i]!.Value)).ToArray();
            if (values.Length == 0) { continue; }
            var summary = Message(m =>
            {
                foreach (var (name, value) in values) { Field(m, Value, Message(v => Scalar(v, name, value))); }
            });
            TfRecord.Write(into, Message(m => Event(m, began, Summary, UnsafeByteOperations.UnsafeWrap(summary), table.Rounds[i])));
        }
    }

    private static void Event(CodedOutputStream into, DateTime began, int field, ByteString content, long? step)
    {
        into.WriteTag(WallTime, WireFormat.WireType.Fixed64);
        into.WriteDouble(Seconds(began));
        if (step is { } round)
        {
            into.WriteTag(Step, WireFormat.WireType.Varint);
            into.WriteInt64(round);
        }

        into.WriteTag(field, WireFormat.WireType.LengthDelimited);
        into.WriteBytes(content);
    }

    private static void Scalar(CodedOutputStream into, string tag, float value)
    {
        into.WriteTag(Tag, WireFormat.WireType.LengthDelimited);
        into.WriteString(tag);
        into.WriteTag(SimpleValue, WireFormat.WireType.Fixed32);
        into.WriteFloat(value);
    }

    private static void Field(CodedOutputStream into, int number, byte[] message)
    {
        into.WriteTag(number, WireFormat.WireType.LengthDelimited);
        into.WriteBytes(UnsafeByteOperations.UnsafeWrap(message));
    }

    private static byte[] Message(Action<CodedOutputStream> write)
    {
        using var bytes = new MemoryStream();
        using (var into = new CodedOutputStream(bytes, leaveOpen: true)) { write(into); }
        return bytes.ToArray();
    }

    private static double Seconds(DateTime time) => (time - DateTime.UnixEpoch).TotalSeconds;
}

/// <summary>TensorFlow's file of records: length, its checksum, the bytes, their checksum; little endian. <c>tensorflow/core/lib/io/record_writer.h</c>.</summary>
internal static class TfRecord
{
    public static void Write(Stream into, ReadOnlySpan<byte> record)
    {
        Span<byte> length = stackalloc byte[8], sum = stackalloc byte[4];
        BinaryPrimitives.WriteInt64LittleEndian(length, record.Length);
        into.Write(length);
        BinaryPrimitives.WriteUInt32LittleEndian(sum, MaskedCrc(length));
        into.Write(sum);
        into.Write(record);
        BinaryPrimitives.WriteUInt32LittleEndian(sum, MaskedCrc(record));
        into.Write(sum);
    }

    /// <summary>Rotated and moved, since the checksum of bytes that hold their own checksum is a poor one.</summary>
    public static uint MaskedCrc(ReadOnlySpan<byte> bytes) => BitOperations.RotateRight(Crc32C(bytes), 15) + 0xa282ead8u;

    /// <summary>CRC-32C (Castagnoli), RFC 3720 B.4.</summary>
    public static uint Crc32C(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes) { crc = BitOperations.Crc32C(crc, b); }
        return ~crc;
    }
}
