using System.CommandLine;
using System.Diagnostics;
using Cluster.Client;
using Cluster.Contracts;
using Cluster.Trainer.Core.Data.Tokens;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster data tokenize INPUT... --out DIR</c>: text to token shards, for data of kind tokens.</summary>
internal static class TokenizeVerb
{
    /// <summary>200 MB of two bytes each.</summary>
    private const long DefaultShardTokens = 100_000_000;

    private const long MaxShardTokens = 1L << 32;

    public static Command Create()
    {
        var tokenizer = new Option<string>("--tokenizer") { Description = "'bytes', or a folder with vocab.json and merges.txt (byte-level BPE, as GPT-2's).", HelpName = "DIR|bytes", DefaultValueFactory = _ => ByteTokenizer.Name };
        var shardTokens = new Option<long>("--shard-tokens") { Description = "Tokens in each file.", HelpName = "N", DefaultValueFactory = _ => DefaultShardTokens };
        var command = new Command("tokenize", "Writes the tokens of texts into files that jobs map into memory.")
        {
            TextInputs.Files, TextInputs.Out, tokenizer, TextInputs.Format, TextInputs.Field, shardTokens,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var perShard = parsed.GetValue(shardTokens);
            if (perShard is < 1 or > MaxShardTokens) { throw new BadInputException($"--shard-tokens: found {perShard}, allowed: 1 to {MaxShardTokens}"); }
            var name = parsed.GetRequiredValue(tokenizer);
            var work = new Tokenization(TextInputs.Of(parsed), Tokenizers.Open(name), perShard);

            var began = Stopwatch.GetTimestamp();
            string Rate(long bytes) => FormattableString.Invariant($"{bytes / 1e6 / Stopwatch.GetElapsedTime(began).TotalSeconds:F1} MB/s");
            var folder = parsed.GetRequiredValue(TextInputs.Out);
            var manifest = await work.WriteAsync(
                folder, name == ByteTokenizer.Name ? null : name,
                p => Console.WriteLine(FormattableString.Invariant($"{p.Source}: {p.TextBytes / 1e6:N0} MB of text so far, {p.Tokens:N0} tokens, {Rate(p.TextBytes)}")),
                cancellationToken);
            Console.WriteLine(FormattableString.Invariant(
                $"{folder}: {manifest.Tokens:N0} tokens of a vocabulary of {manifest.Vocabulary:N0} in {manifest.Shards.Length:N0} {(manifest.Shards.Length == 1 ? "shard" : "shards")} ({manifest.DataType}), of {manifest.Documents:N0} {(manifest.Documents == 1 ? "document" : "documents")} with {manifest.TextBytes:N0} bytes; {Rate(manifest.TextBytes)}"));
            return ExitCodes.Succeeded;
        });
        return command;
    }
}
