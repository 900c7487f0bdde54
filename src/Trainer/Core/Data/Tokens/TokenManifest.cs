using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Cluster.Contracts;

namespace Cluster.Trainer.Core.Data.Tokens;

/// <summary>manifest.json of a folder of tokens: what they are, from what they were made, and the hash of each shard. Sealed (<see cref="SealedJson"/>).</summary>
/// <remarks>The same sources, tokenizer and shard size give the same bytes: it has no date and no path.</remarks>
internal sealed record TokenManifest
{
    public const int CurrentFormat = 1;

    public const string FileName = "manifest.json", TokenizerFolder = "tokenizer";

    /// <summary>A hundred thousand shards and sources take some 25 MB.</summary>
    private const int MaxBytes = 256 << 20;

    public required int FormatVersion { get; init; }

    /// <summary>Of one token, little-endian: <c>uint16</c> or <c>uint32</c>.</summary>
    public required string DataType { get; init; }

    /// <summary>Tokens that there are; each is smaller.</summary>
    public required int Vocabulary { get; init; }

    /// <summary>Which tokenizer made them: see <see cref="ITokenizer.Sha256"/>.</summary>
    public required string TokenizerSha256 { get; init; }

    /// <summary>What follows each document; null where nothing does.</summary>
    public required int? EndOfText { get; init; }

    /// <summary>In all shards.</summary>
    public required long Tokens { get; init; }

    /// <summary>In all sources, those without any text too.</summary>
    public required long Documents { get; init; }

    /// <summary>UTF-8 bytes of all documents.</summary>
    public required long TextBytes { get; init; }

    /// <summary>In the order of the stream; all but the last have the same number of tokens.</summary>
    public required ImmutableArray<TokenShard> Shards { get; init; }

    /// <summary>In the order in which they were read.</summary>
    public required ImmutableArray<TokenSource> Sources { get; init; }

    [JsonIgnore]
    public int TokenBytes => DataType == "uint16" ? 2 : 4;

    public static string DataTypeOf(int vocabulary) => vocabulary <= 1 << 16 ? "uint16" : "uint32";

    public static string ShardName(int index) => FormattableString.Invariant($"tokens-{index:D5}.bin");

    /// <exception cref="BadInputException">It is missing, was changed, or contradicts itself.</exception>
    public static TokenManifest Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        using var file = DataFile.Open(path);
        try
        {
            var manifest = SealedJson.Decode<TokenManifest>(file.ReadAll(MaxBytes), FileName, CurrentFormat, "token folder");
            return manifest.Problem() is { } problem ? throw new InvalidDataException($"{FileName} {problem}") : manifest;
        }
        catch (InvalidDataException e)
        {
            throw new BadInputException($"{folder}: {e.Message}");
        }
    }

    private string? Problem()
    {
        if (Vocabulary is < 1 or > BpeVocabulary.MaxTokens) { return $"has a vocabulary of {Vocabulary:N0}; 1 to {BpeVocabulary.MaxTokens:N0} are allowed"; }
        if (DataType != DataTypeOf(Vocabulary)) { return $"has the data type '{DataType}'; with {Vocabulary:N0} tokens it is {DataTypeOf(Vocabulary)}"; }
        if (Shards.IsDefaultOrEmpty || Sources.IsDefault) { return "names no shards"; }
        foreach (var (index, shard) in Shards.Index())
        {
            if (shard.Name != ShardName(index)) { return $"names the shard '{shard.Name}' where {ShardName(index)} is expected"; }
            if (shard.Tokens < 1 || shard.Tokens > Shards[0].Tokens || (index < Shards.Length - 1 && shard.Tokens != Shards[0].Tokens)) { return $"gives {shard.Name} {shard.Tokens:N0} tokens; all but the last have the same number, and that no more"; }
        }

        return Shards.Sum(shard => shard.Tokens) == Tokens ? null : $"announces {Tokens:N0} tokens, and its shards have {Shards.Sum(shard => shard.Tokens):N0}";
    }
}

/// <param name="Name">A plain file name, beside the manifest.</param>
internal sealed record TokenShard(string Name, long Tokens, string Sha256);

/// <param name="Name">Of the file, without its folders.</param>
/// <param name="Sha256">Of the file as it lies on the disk.</param>
internal sealed record TokenSource(string Name, long Bytes, string Sha256, long Documents);
