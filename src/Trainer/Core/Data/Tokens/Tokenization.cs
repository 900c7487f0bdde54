using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using Cluster.Contracts;
using Cluster.Trainer.Core.Checkpoints;

namespace Cluster.Trainer.Core.Data.Tokens;

/// <summary>How far a tokenization is.</summary>
/// <param name="Source">The file being read.</param>
/// <param name="TextBytes">Read of all sources.</param>
internal readonly record struct TokenizationProgress(string Source, long TextBytes, long Tokens);

/// <summary>
/// Makes a folder of tokens from files with text: its shards, the tokenizer's files, and last the manifest. It is written beside its
/// place and renamed into it, so what lies there is whole; what a run that was stopped left beside it, the next one removes.
/// </summary>
/// <remarks>
/// After each document comes the tokenizer's end of text. Where it has none, nothing comes after a text file, so that the tokens are
/// those of the files joined, and a line end after a line or row.
/// </remarks>
internal sealed class Tokenization(IReadOnlyList<TextSource> sources, ITokenizer tokenizer, long shardTokens)
{
    private const int ReportBytes = 64 << 20;

    private readonly Disk _disk = new();
    private readonly List<int> _tokens = [];

    /// <param name="folder">Where the tokens shall be; it may not exist.</param>
    /// <param name="tokenizerFiles">Folder with the tokenizer's files, or null when it has none.</param>
    /// <exception cref="BadInputException">A source is missing, damaged or has no text; or the folder is there. Nothing is left behind.</exception>
    public Task<TokenManifest> WriteAsync(string folder, string? tokenizerFiles, Action<TokenizationProgress> progress, CancellationToken cancellationToken) =>
        NewFolder.WriteAsync(NewFolder.PlaceOf(folder), _disk, async beside =>
        {
            var manifest = await WriteShardsAsync(beside, progress, cancellationToken);
            if (tokenizerFiles is not null) { CopyTokenizer(tokenizerFiles, Path.Combine(beside, TokenManifest.TokenizerFolder)); }
            WriteFile(Path.Combine(beside, TokenManifest.FileName), SealedJson.Encode(manifest));
            return manifest;
        });

    private async Task<TokenManifest> WriteShardsAsync(string folder, Action<TokenizationProgress> progress, CancellationToken cancellationToken)
    {
        using var writer = new TokenShardWriter(_disk, folder, tokenizer.Vocabulary, shardTokens);
        var (read, documents, textBytes, reported) = (ImmutableArray.CreateBuilder<TokenSource>(), 0L, 0L, 0L);
        foreach (var source in sources)
        {
            var (bytes, sha256) = DataRecord.OfFiles([source.Path]);
            var before = documents;
            await foreach (var part in source.ReadAsync(cancellationToken).WithCancellation(cancellationToken))
            {
                Encode(source, part, writer);
                textBytes += part.Utf8.Length;
                if (part.EndsDocument) { documents++; }
                if (textBytes - reported >= ReportBytes)
                {
                    progress(new(source.Path, textBytes, writer.Tokens));
                    reported = textBytes;
                }
            }

            read.Add(new TokenSource(Path.GetFileName(source.Path), bytes, sha256, documents - before));
        }

        if (textBytes == 0) { throw new BadInputException($"there is no text in {string.Join(", ", sources.Select(source => source.Path))}"); }
        return new TokenManifest
        {
            FormatVersion = TokenManifest.CurrentFormat,
            DataType = TokenManifest.DataTypeOf(tokenizer.Vocabulary),
            Vocabulary = tokenizer.Vocabulary,
            TokenizerSha256 = tokenizer.Sha256,
            EndOfText = tokenizer.EndOfText,
            Shards = writer.Finish(),
            Tokens = writer.Tokens,
            Documents = documents,
            TextBytes = textBytes,
            Sources = read.ToImmutable(),
        };
    }

    private void Encode(TextSource source, in TextPart part, TokenShardWriter into)
    {
        _tokens.Clear();
        try { tokenizer.Encode(part.Utf8.Span, _tokens); }
        catch (DecoderFallbackException e) { throw source.NotUtf8(part, e); }

        into.Write(CollectionsMarshal.AsSpan(_tokens));
        if (!part.EndsDocument) { return; }
        if (tokenizer.EndOfText is { } end) { into.Write([end]); }
        else if (source.Format != TextFormat.Text) { EncodeLineEnd(into); }
    }

    private void EncodeLineEnd(TokenShardWriter into)
    {
        _tokens.Clear();
        tokenizer.Encode("\n"u8, _tokens);
        into.Write(CollectionsMarshal.AsSpan(_tokens));
    }

    private void CopyTokenizer(string from, string to)
    {
        _disk.CreateDirectory(to);
        foreach (var name in (string[])[BpeVocabulary.TokensFile, BpeVocabulary.MergesFile])
        {
            WriteFile(Path.Combine(to, name), File.ReadAllBytes(Path.Combine(from, name)));
        }

        _disk.SyncDirectory(to);
    }

    private void WriteFile(string path, byte[] bytes)
    {
        using var file = _disk.CreateFile(path);
        file.Write(bytes);
        _disk.Sync(file);
    }
}
