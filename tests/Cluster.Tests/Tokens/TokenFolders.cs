using Cluster.Trainer.Core.Data.Tokens;

namespace Cluster.Tests.Tokens;

/// <summary>Token folders for tests.</summary>
internal static class TokenFolders
{
    /// <param name="files">Folder of the tokenizer's files, or null.</param>
    public static Task<TokenManifest> WriteAsync(string folder, long shardTokens, ITokenizer tokenizer, string? files, params string[] paths) =>
        new Tokenization([.. paths.Select(path => new TextSource(path, TextSource.FormatOf(path), "text"))], tokenizer, shardTokens)
            .WriteAsync(folder, files, _ => { }, CancellationToken.None);
}
