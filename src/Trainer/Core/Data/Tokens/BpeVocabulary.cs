using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Cluster.Contracts;

namespace Cluster.Trainer.Core.Data.Tokens;

/// <summary>
/// A byte-level BPE as GPT-2 keeps it: <c>vocab.json</c> has each token, its bytes shown as characters
/// (<see cref="BytePieces"/>), and its number; <c>merges.txt</c> the pairs that are joined, the first one first.
/// </summary>
/// <param name="Tokens">By number.</param>
/// <param name="Merges">Left and right part.</param>
/// <param name="Sha256">Of the bytes of vocab.json, then merges.txt.</param>
internal sealed record BpeVocabulary(ImmutableArray<string> Tokens, ImmutableArray<(string Left, string Right)> Merges, string Sha256)
{
    public const string TokensFile = "vocab.json", MergesFile = "merges.txt", EndOfText = "<|endoftext|>";

    /// <summary>Far more than any model has; a token of so many fits four bytes, and an embedding the memory.</summary>
    public const int MaxTokens = 1 << 20;

    private const long MaxBytes = 256 << 20;
    private const string Version = "#version:";

    private static readonly JsonWriterOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <exception cref="BadInputException">A file is missing or not what it should be; the message says where.</exception>
    public static BpeVocabulary Read(string folder)
    {
        if (!Directory.Exists(folder)) { throw new BadInputException($"tokenizer: there is no folder '{folder}'; allowed: {ByteTokenizer.Name}, or a folder with {TokensFile} and {MergesFile}"); }
        using var vocabulary = DataFile.Open(Path.Combine(folder, TokensFile));
        using var merging = DataFile.Open(Path.Combine(folder, MergesFile));
        var (tokenBytes, mergeBytes) = (vocabulary.ReadAll(MaxBytes), merging.ReadAll(MaxBytes));
        var tokens = ReadTokens(vocabulary, tokenBytes);
        return new(tokens, ReadMerges(merging, mergeBytes, tokens), HashOf(tokenBytes, mergeBytes));
    }

    public static BpeVocabulary Of(ImmutableArray<string> tokens, ImmutableArray<(string Left, string Right)> merges) =>
        new(tokens, merges, HashOf(TokenBytes(tokens), MergeBytes(merges)));

    /// <summary>Both files of a vocabulary that was learnt; <see cref="Read"/> gives the same one, with the same hash.</summary>
    public void Write(string folder)
    {
        File.WriteAllBytes(Path.Combine(folder, TokensFile), TokenBytes(Tokens));
        File.WriteAllBytes(Path.Combine(folder, MergesFile), MergeBytes(Merges));
    }

    private static string HashOf(byte[] tokens, byte[] merges) => Convert.ToHexStringLower(SHA256.HashData([.. tokens, .. merges]));

    private static byte[] TokenBytes(ImmutableArray<string> tokens)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, s_json))
        {
            json.WriteStartObject();
            foreach (var (number, token) in tokens.Index()) { json.WriteNumber(token, number); }
            json.WriteEndObject();
        }

        return bytes.ToArray();
    }

    private static byte[] MergeBytes(ImmutableArray<(string Left, string Right)> merges) =>
        Encoding.UTF8.GetBytes($"{Version} 0.2\n{string.Concat(merges.Select(merge => $"{merge.Left} {merge.Right}\n"))}");

    private static ImmutableArray<string> ReadTokens(DataFile file, byte[] bytes)
    {
        Dictionary<string, int>? numbers;
        try { numbers = JsonSerializer.Deserialize<Dictionary<string, int>>(bytes); }
        catch (JsonException e) { throw file.Bad($"is no table of tokens and their numbers: {e.Message}"); }

        if (numbers is null or { Count: 0 }) { throw file.Bad("has no tokens"); }
        if (numbers.Count > MaxTokens) { throw file.Bad($"has {numbers.Count:N0} tokens; at most {MaxTokens:N0} are allowed"); }
        var tokens = new string[numbers.Count];
        foreach (var (token, number) in numbers)
        {
            if (number < 0 || number >= tokens.Length || tokens[number] is not null)
            {
                throw file.Bad($"gives token '{token}' the number {number:N0}; each of 0 to {tokens.Length - 1:N0} is expected once");
            }

            if (token.Length == 0 || BytePieces.BytesOf(token) is null) { throw file.Bad($"has the token '{token}', whose characters are not all bytes as byte-level BPE shows them"); }
            tokens[number] = token;
        }

        for (var b = 0; b < 256; b++)
        {
            if (!numbers.ContainsKey(BytePieces.Shown((byte)b).ToString())) { throw file.Bad($"has no token for the byte {b} ('{BytePieces.Shown((byte)b)}'), so not every text could be encoded"); }
        }

        return [.. tokens];
    }

    private static ImmutableArray<(string, string)> ReadMerges(DataFile file, byte[] bytes, ImmutableArray<string> tokens)
    {
        var known = tokens.ToHashSet(StringComparer.Ordinal);
        var merges = ImmutableArray.CreateBuilder<(string, string)>();
        foreach (var (index, line) in Encoding.UTF8.GetString(bytes).Split('\n').Select(line => line.TrimEnd('\r')).Index())
        {
            if (line.Length == 0 || (index == 0 && line.StartsWith(Version, StringComparison.Ordinal))) { continue; }
            if (line.Split(' ') is not [{ Length: > 0 } left, { Length: > 0 } right]) { throw file.Bad($"line {index + 1}: '{CsvFile.Shown(line)}' is not two tokens with a space between them"); }
            foreach (var token in (string[])[left, right, left + right])
            {
                if (!known.Contains(token)) { throw file.Bad($"line {index + 1}: '{CsvFile.Shown(token)}' is no token of {TokensFile}"); }
            }

            merges.Add((left, right));
        }

        return merges.ToImmutable();
    }
}
