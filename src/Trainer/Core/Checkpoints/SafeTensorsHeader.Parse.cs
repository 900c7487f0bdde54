using System.Collections.Immutable;
using System.Text.Json;

namespace Cluster.Trainer.Core.Checkpoints;

// Reading a header that anyone may have written: every rule of the format is checked, and every refusal says which.
internal sealed partial class SafeTensorsHeader
{
    private const int MaxNameLength = 1024;

    /// <summary>Reads the JSON of a file that has <paramref name="dataBytes"/> bytes after it.</summary>
    /// <exception cref="InvalidDataException">The header breaks the format, or the file is not as long as it says.</exception>
    public static SafeTensorsHeader Parse(ReadOnlyMemory<byte> json, long dataBytes)
    {
        try
        {
            // The format says that the first byte is '{'; a JSON reader alone would let white space pass.
            if (json.IsEmpty || json.Span[0] != '{') { throw new InvalidDataException("the header does not begin with '{'"); }
            using var document = JsonDocument.Parse(json);
            return Parse(document.RootElement, dataBytes);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // The latter: text that is not UTF-8.
        {
            throw new InvalidDataException($"the header is not valid JSON ({e.Message})", e);
        }
    }

    private static SafeTensorsHeader Parse(JsonElement root, long dataBytes)
    {
        var names = new HashSet<string>();
        var metadata = ImmutableSortedDictionary<string, string>.Empty;
        var tensors = new List<TensorEntry>();
        foreach (var property in root.EnumerateObject())
        {
            var name = property.Name;
            if (name.Length > MaxNameLength || name.Any(char.IsControl))
            {
                throw new InvalidDataException($"a tensor's name has control characters or more than {MaxNameLength:N0} characters");
            }

            if (!names.Add(name)) { throw new InvalidDataException($"'{name}' appears twice"); }
            if (name == MetadataKey) { metadata = ParseMetadata(property.Value); }
            else { tensors.Add(ParseTensor(name, property.Value)); }
        }

        var inOrder = tensors.OrderBy(t => t.Begin).ThenBy(t => t.End).ToImmutableArray();
        CheckCoverage(inOrder, dataBytes);
        return new SafeTensorsHeader(inOrder, metadata);
    }

    private static ImmutableSortedDictionary<string, string> ParseMetadata(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object) { throw new InvalidDataException($"{MetadataKey} is not an object"); }
        var metadata = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var property in element.EnumerateObject())
        {
            if (property.Value.ValueKind != JsonValueKind.String) { throw new InvalidDataException($"{MetadataKey} holds something other than text"); }
            if (!metadata.TryAdd(property.Name, property.Value.GetString()!)) { throw new InvalidDataException($"'{property.Name}' appears twice in {MetadataKey}"); }
        }

        return metadata.ToImmutable();
    }

    private static TensorEntry ParseTensor(string name, JsonElement element)
    {
        var properties = element.ValueKind == JsonValueKind.Object ? element.EnumerateObject().ToArray() : [];
        if (properties.Length != 3
            || !element.TryGetProperty("dtype", out var dtype) || dtype.ValueKind != JsonValueKind.String
            || !element.TryGetProperty("shape", out var shape)
            || !element.TryGetProperty("data_offsets", out var offsets))
        {
            throw new InvalidDataException($"'{name}' is not described by exactly dtype, shape and data_offsets");
        }

        if (dtype.GetString() is var type && type != Float32)
        {
            throw new InvalidDataException($"'{name}' has dtype {(type!.Length <= 16 && !type.Any(char.IsControl) ? type : "?")}; only {Float32} is read");
        }

        var extents = Numbers(name, "shape", shape);
        var range = Numbers(name, "data_offsets", offsets);
        if (range.Length != 2 || range[0] > range[1]) { throw new InvalidDataException($"'{name}' has data_offsets that are not [begin, end]"); }

        long bytes;
        try { bytes = BytesOf(extents); }
        catch (OverflowException) { throw new InvalidDataException($"'{name}' has a shape [{string.Join(", ", extents)}] too large for any file"); }
        if (range[1] - range[0] != bytes)
        {
            throw new InvalidDataException($"'{name}' of shape [{string.Join(", ", extents)}] needs {bytes:N0} bytes but has {range[1] - range[0]:N0}");
        }

        return new TensorEntry(name, extents, range[0], range[1]);
    }

    private static ImmutableArray<long> Numbers(string name, string key, JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Array) { throw new InvalidDataException($"'{name}' has a {key} that is not a list"); }
        var numbers = ImmutableArray.CreateBuilder<long>(element.GetArrayLength());
        foreach (var item in element.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt64(out var number) || number < 0)
            {
                throw new InvalidDataException($"'{name}' has a {key} with something other than whole numbers from 0");
            }

            numbers.Add(number);
        }

        return numbers.ToImmutable();
    }

    private static void CheckCoverage(ImmutableArray<TensorEntry> inOrder, long dataBytes)
    {
        var reached = 0L;
        foreach (var tensor in inOrder)
        {
            if (tensor.Begin < reached) { throw new InvalidDataException($"'{tensor.Name}' overlaps the tensor before it"); }
            if (tensor.Begin > reached) { throw new InvalidDataException($"bytes {reached:N0} to {tensor.Begin:N0}, before '{tensor.Name}', belong to no tensor"); }
            reached = tensor.End;
        }

        if (dataBytes < reached) { throw new InvalidDataException($"the file ends {reached - dataBytes:N0} bytes early"); }
        if (dataBytes > reached) { throw new InvalidDataException($"the file has {dataBytes - reached:N0} bytes after its last tensor"); }
    }
}
