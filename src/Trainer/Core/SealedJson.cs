using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Cluster.Trainer.Core;

/// <summary>A record as a JSON file that tells when it was changed.</summary>
/// <remarks>
/// The last property of the file, <c>sha256</c>, seals it: it is the SHA-256 of all bytes before the comma that precedes it,
/// so that a flipped bit in a number is found just as one in the files that it names.
/// </remarks>
internal static class SealedJson
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerOptions.Strict)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The file's bytes, sealed.</summary>
    public static byte[] Encode<T>(T value)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(value, Json)[..^"\n}".Length];
        return [.. body, .. Seal(body)];
    }

    /// <param name="name">Of the file, for messages.</param>
    /// <param name="format">The formatVersion that this version of Cluster reads.</param>
    /// <param name="of">What it is the manifest of: "checkpoint".</param>
    /// <exception cref="InvalidDataException">It is not such a file, of another version, or was changed; the message says which.</exception>
    public static T Decode<T>(ReadOnlySpan<byte> file, string name, int format, string of)
    {
        var bytes = file.ToArray();
        try
        {
            CheckVersion(bytes, name, format, of);
            var sealBytes = Seal([]).Length;
            if (bytes.Length < sealBytes || !bytes.AsSpan(^sealBytes..).SequenceEqual(Seal(bytes.AsSpan(..^sealBytes))))
            {
                throw new InvalidDataException($"{name} was changed after it was written (its own sha256 does not match)");
            }

            byte[] body = [.. bytes[..^sealBytes], .. "\n}"u8];
            return JsonSerializer.Deserialize<T>(body, Json)!;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // The latter: text that is not UTF-8.
        {
            throw new InvalidDataException($"{name} is not valid JSON ({e.Message})", e);
        }
    }

    private static byte[] Seal(ReadOnlySpan<byte> body) =>
        Encoding.UTF8.GetBytes($",\n  \"sha256\": \"{Convert.ToHexStringLower(SHA256.HashData(body))}\"\n}}\n");

    /// <summary>First of all, because a later version may change everything else.</summary>
    private static void CheckVersion(byte[] bytes, string name, int format, string of)
    {
        using var document = JsonDocument.Parse(bytes);
        if (document.RootElement.ValueKind != JsonValueKind.Object
            || !document.RootElement.TryGetProperty("formatVersion", out var element)
            || element.ValueKind != JsonValueKind.Number || !element.TryGetInt32(out var version))
        {
            throw new InvalidDataException($"{name} has no formatVersion, so it is no {of}'s manifest");
        }

        if (version != format)
        {
            throw new InvalidDataException($"{name} has format version {version}; this version of Cluster reads version {format}");
        }
    }
}
