using Cluster.Contracts;
using Cluster.Contracts.Spec;

namespace Cluster.Trainer.Core.Data.Tokens;

/// <summary>Tokenizers by name.</summary>
internal static class Tokenizers
{
    /// <param name="name"><c>bytes</c>, or a folder with vocab.json and merges.txt.</param>
    /// <exception cref="BadInputException">There is no such folder, or its files are not a byte-level BPE.</exception>
    public static ITokenizer Open(string name) => name == ByteTokenizer.Name ? new ByteTokenizer() : new BpeTokenizer(BpeVocabulary.Read(name));

    /// <summary>The tokenizer of a data set: of token shards the one in their folder, else bytes.</summary>
    /// <exception cref="BadInputException">The folder is not there, or its tokenizer is not the one that made the shards.</exception>
    public static ITokenizer Of(DataSpec? data, IReadOnlyList<string> roots)
    {
        if (data is not DataSpec.Tokens tokens) { return new ByteTokenizer(); }
        var folder = DataSets.TokenFolder(tokens, roots);
        var manifest = TokenManifest.Read(folder);
        if (manifest.TokenizerSha256 == ByteTokenizer.Hash) { return new ByteTokenizer(); }
        var own = Open(Path.Combine(folder, TokenManifest.TokenizerFolder));
        return own.Sha256 == manifest.TokenizerSha256
            ? own
            : throw new BadInputException($"{folder}: the files in {TokenManifest.TokenizerFolder} were changed: they have SHA-256 {own.Sha256}, and the manifest says {manifest.TokenizerSha256}");
    }
}
