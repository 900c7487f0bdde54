using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Cluster.Trainer.Core.Checkpoints;

/// <summary>One float32 tensor of a safetensors file.</summary>
/// <param name="Begin">First byte, counted from the end of the header.</param>
/// <param name="End">One past the last byte.</param>
internal sealed record TensorEntry(string Name, ImmutableArray<long> Shape, long Begin, long End)
{
    public long Length => (End - Begin) / sizeof(float);
}

/// <summary>
/// The table at the head of a safetensors file (https://github.com/huggingface/safetensors, "Format"):
/// <code>
///   8 bytes   N, the header's length, unsigned little-endian
///   N bytes   JSON: {"__metadata__": {text: text}, name: {"dtype": "F32", "shape": [..], "data_offsets": [begin, end]}, ..}, padded with spaces
///   the rest  the tensors' values, row-major little-endian, without holes or overlaps
/// </code>
/// Only float32 is read and written.
/// </summary>
internal sealed partial class SafeTensorsHeader
{
    public const int PrefixBytes = sizeof(ulong);

    /// <summary>The format's own limit on N.</summary>
    public const int MaxJsonBytes = 100_000_000;

    private const string MetadataKey = "__metadata__";
    private const string Float32 = "F32";

    private SafeTensorsHeader(ImmutableArray<TensorEntry> tensors, ImmutableSortedDictionary<string, string> metadata)
    {
        Tensors = tensors;
        Metadata = metadata;
    }

    /// <summary>In the order of their bytes.</summary>
    public ImmutableArray<TensorEntry> Tensors { get; }

    public ImmutableSortedDictionary<string, string> Metadata { get; }

    /// <summary>Bytes of all values.</summary>
    public long DataBytes => Tensors.IsEmpty ? 0 : Tensors[^1].End;

    /// <summary>A header for tensors that follow one another in the order given.</summary>
    public static SafeTensorsHeader For(
        IEnumerable<(string Name, ImmutableArray<long> Shape)> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        var names = new HashSet<string> { MetadataKey };
        var entries = ImmutableArray.CreateBuilder<TensorEntry>();
        var begin = 0L;
        foreach (var (name, shape) in tensors)
        {
            if (!names.Add(name)) { throw new ArgumentException($"two tensors are called '{name}', or the name is reserved", nameof(tensors)); }
            var end = checked(begin + BytesOf(shape));
            entries.Add(new TensorEntry(name, shape, begin, end));
            begin = end;
        }

        return new SafeTensorsHeader(entries.ToImmutable(), metadata.ToImmutableSortedDictionary(StringComparer.Ordinal));
    }

    /// <summary>The prefix and the padded JSON: a multiple of 8 bytes, so that the values lie aligned in a mapped file.</summary>
    public byte[] Encode()
    {
        var bytes = new ArrayBufferWriter<byte>();
        bytes.Write(stackalloc byte[PrefixBytes]); // The length, filled in below.
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            WriteJson(json);
        }

        while (bytes.WrittenCount % 8 != 0) { bytes.Write(" "u8); }
        var encoded = bytes.WrittenSpan.ToArray();
        var length = encoded.Length - PrefixBytes;
        if (length > MaxJsonBytes) { throw new InvalidOperationException($"the table of {Tensors.Length:N0} tensors is longer than the format allows"); }
        BinaryPrimitives.WriteUInt64LittleEndian(encoded, (ulong)length);
        return encoded;
    }

    private void WriteJson(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        if (!Metadata.IsEmpty)
        {
            json.WriteStartObject(MetadataKey);
            foreach (var (key, value) in Metadata) { json.WriteString(key, value); }
            json.WriteEndObject();
        }

        foreach (var tensor in Tensors)
        {
            json.WriteStartObject(tensor.Name);
            json.WriteString("dtype", Float32);
            json.WriteStartArray("shape");
            foreach (var extent in tensor.Shape) { json.WriteNumberValue(extent); }
            json.WriteEndArray();
            json.WriteStartArray("data_offsets");
            json.WriteNumberValue(tensor.Begin);
            json.WriteNumberValue(tensor.End);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static long BytesOf(ImmutableArray<long> shape) => checked(shape.Aggregate(1L, (product, extent) => checked(product * extent)) * sizeof(float));
}
