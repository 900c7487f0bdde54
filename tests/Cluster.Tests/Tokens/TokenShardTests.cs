using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Tests.Data;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Checkpoints;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Data.Tokens;
using TorchSharp;

namespace Cluster.Tests.Tokens;

public sealed class TokenShardTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory, InlineData(5), InlineData(64), InlineData(999), InlineData(1000), InlineData(1_000_000)]
    public async Task The_stream_is_the_same_whatever_the_size_of_the_shards(long shardTokens)
    {
        var text = TokenizerTests.RandomText(1, 1000, "abc \n");
        var folder = await TokenizeAsync($"t{shardTokens}", shardTokens, _folder.Write("a.txt", text));
        var shards = TokenShards.Open(folder);
        Assert.Equal((1000, 256), (shards.Length, shards.Vocabulary));
        foreach (var (first, length) in new[] { (0, 1000), (0, 1), (63, 2), (999, 1), (5, 130), (1000, 0) })
        {
            var tokens = new long[length];
            shards.Read(first, tokens);
            Assert.Equal(text.Substring(first, length), new string([.. tokens.Select(token => (char)token)]));
        }

        // A data set over them has the samples of the text itself, both splits of it.
        var spec = new DataSpec.Tokens { Path = Path.GetFileName(folder), EvaluationShare = 0.3 };
        var plain = new DataSpec.Text { Files = ["a.txt"], EvaluationShare = 0.3 };
        foreach (var split in (DataSplit[])[DataSplit.Train, DataSplit.Evaluation])
        {
            foreach (var masked in (bool[])[false, true])
            {
                var (own, other) = (DataSets.Open(spec, [_folder.Path], split, 8, masked), DataSets.Open(plain, [_folder.Path], split, 8, masked));
                Assert.Equal(other.Count, own.Count);
                using var one = own.GatherRun(0, (int)own.Count, 3, torch.CPU);
                using var two = other.GatherRun(0, (int)own.Count, 3, torch.CPU);
                Assert.Equal(two.Inputs.data<long>().ToArray(), one.Inputs.data<long>().ToArray());
                Assert.Equal(two.Targets.data<long>().ToArray(), one.Targets.data<long>().ToArray());
            }
        }
    }

    [Theory, InlineData(65_536, 2, "uint16"), InlineData(65_537, 4, "uint32")]
    public void Tokens_take_two_bytes_as_long_as_they_fit(int vocabulary, int bytes, string type)
    {
        int[] tokens = [0, 1, 255, 256, 65_535, .. vocabulary > 65_536 ? [65_536] : Array.Empty<int>()];
        var manifest = WriteShards(vocabulary, tokens, shardTokens: 4);
        Assert.Equal(type, manifest.DataType);
        Assert.Equal(4 * bytes, new FileInfo(Path.Combine(_folder.Path, "tokens-00000.bin")).Length);
        Assert.Equal(0xff, File.ReadAllBytes(Path.Combine(_folder.Path, "tokens-00000.bin"))[2 * bytes]); // Little-endian.
        var read = new long[tokens.Length];
        TokenShards.Open(_folder.Path).Read(0, read);
        Assert.Equal(tokens.Select(token => (long)token), read);
    }

    [Fact]
    public void A_long_stream_is_written_in_pieces_of_any_size()
    {
        var random = new SeededRandom(4);
        var tokens = new int[300_000];
        foreach (ref var token in tokens.AsSpan()) { token = random.NextInt(50_000); }
        WriteShards(50_000, tokens, shardTokens: 70_001);
        var read = new long[tokens.Length];
        TokenShards.Open(_folder.Path).Read(0, read);
        Assert.Equal(tokens.Select(token => (long)token), read);
    }

    [Fact]
    public async Task Documents_end_with_the_end_of_text_or_with_a_line_end()
    {
        var texts = (_folder.Write("a.txt", "ab"), _folder.Write("b.txt", "cd"));
        var lines = _folder.Write("c.jsonl", "{\"text\": \"ab\"}\n{\"text\": \"\"}\n{\"text\": \"cd\"}");
        Assert.Equal("abcd", await BytesOfAsync("t1", texts.Item1, texts.Item2));
        Assert.Equal("ab\n\ncd\n", await BytesOfAsync("t2", lines));

        TokenizerTests.Learn("aaabdaaabac", 300).Write(Directory.CreateDirectory(Path.Combine(_folder.Path, "bpe")).FullName);
        var bpe = Tokenizers.Open(Path.Combine(_folder.Path, "bpe"));
        var end = bpe.EndOfText!.Value;
        var folder = await TokenizeAsync("t3", 100, bpe, Path.Combine(_folder.Path, "bpe"), texts.Item1, lines);
        var manifest = TokenManifest.Read(folder);
        Assert.Equal((4, 6, end), (manifest.Documents, manifest.TextBytes, manifest.EndOfText));
        var read = new long[manifest.Tokens];
        TokenShards.Open(folder).Read(0, read);
        Assert.Equal([257, end, 257, end, end, 'c', 'd', end], read); // 257: ab.

        // The folder has the tokenizer, and knows it when it is another one.
        var spec = new DataSpec.Tokens { Path = "t3" };
        Assert.Equal(bpe.Sha256, Tokenizers.Of(spec, [_folder.Path]).Sha256);
        File.AppendAllText(Path.Combine(folder, "tokenizer", "merges.txt"), "b d\n");
        Assert.Contains("'bd' is no token", Assert.Throws<BadInputException>(() => Tokenizers.Of(spec, [_folder.Path])).Message, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(folder, "tokenizer", "merges.txt"), "a a\n");
        Assert.Contains("the files in tokenizer were changed", Assert.Throws<BadInputException>(() => Tokenizers.Of(spec, [_folder.Path])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_sources_give_the_same_bytes_and_the_manifest_tells_what_they_were()
    {
        var (a, b) = (_folder.Write("a.txt", "first"), _folder.Write("b.jsonl.gz", TemporaryFolder.Gzip("{\"text\": \"second\"}"u8.ToArray())));
        var one = await TokenizeAsync("t1", 4, a, b);
        var two = await TokenizeAsync("t2", 4, a, b);
        foreach (var file in Directory.GetFiles(one)) { Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(Path.Combine(two, Path.GetFileName(file)))); }
        var manifest = TokenManifest.Read(one);
        Assert.Equal([("a.txt", 5, Sha256(a), 1), ("b.jsonl.gz", new FileInfo(b).Length, Sha256(b), 1)], manifest.Sources.Select(source => (source.Name, source.Bytes, source.Sha256, source.Documents)));
        Assert.Equal([4, 4, 4], manifest.Shards.Select(shard => shard.Tokens));
    }

    [Fact]
    public async Task What_cannot_be_tokenized_leaves_nothing_behind()
    {
        var (good, bad) = (_folder.Write("a.txt", "text"), _folder.Write("b.jsonl", "{\"text\": \"a\"}\nno"));
        Assert.Contains("b.jsonl line 2 is not valid JSON", (await Assert.ThrowsAsync<BadInputException>(() => TokenizeAsync("t1", 100, good, bad))).Message, StringComparison.Ordinal);
        Assert.Contains("no such file", (await Assert.ThrowsAsync<BadInputException>(() => TokenizeAsync("t1", 100, good, "nowhere.txt"))).Message, StringComparison.Ordinal);
        Assert.Contains("there is no text in", (await Assert.ThrowsAsync<BadInputException>(() => TokenizeAsync("t1", 100, _folder.Write("c.jsonl", "{\"text\": \"\"}")))).Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetDirectories(_folder.Path));

        // What a killed run left is no hindrance; what is there whole is.
        _folder.Write("t1.tokens-partial/tokens-00000.bin", "left");
        var folder = await TokenizeAsync("t1", 100, good);
        Assert.Equal([folder], Directory.GetDirectories(_folder.Path));
        Assert.Contains("exists already", (await Assert.ThrowsAsync<BadInputException>(() => TokenizeAsync("t1", 100, good))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Shards_that_are_too_many_are_refused_before_the_next_one_is_begun()
    {
        using var writer = new TokenShardWriter(new Disk(), _folder.Path, vocabulary: 256, shardTokens: 2, maxShards: 3);
        writer.Write([1, 2, 3, 4, 5, 6]);
        Assert.Contains("--shard-tokens: found 2, which makes more than 3 shards", Assert.Throws<BadInputException>(() => writer.Write([7])).Message, StringComparison.Ordinal);
        Assert.Equal(3, Directory.GetFiles(_folder.Path).Length);
    }

    [Fact]
    public async Task Text_that_is_not_utf8_is_named_with_its_place()
    {
        TokenizerTests.Learn("aaabdaaabac", 300).Write(Directory.CreateDirectory(Path.Combine(_folder.Path, "bpe")).FullName);
        var path = _folder.Write("a.txt", (byte)'a', (byte)'b', 0xff, (byte)'c');
        var refused = await Assert.ThrowsAsync<BadInputException>(() => TokenizeAsync("t", 100, Tokenizers.Open(Path.Combine(_folder.Path, "bpe")), null, path));
        Assert.Contains("a.txt is not UTF-8: byte 0 and 2 bytes further on stands 0xff", refused.Message, StringComparison.Ordinal);
        Assert.Equal("ab\u00ffc", await BytesOfAsync("t", path)); // Bytes are bytes.
    }

    [Fact]
    public async Task Every_damage_is_found_and_named()
    {
        var folder = await TokenizeAsync("t", 400, _folder.Write("a.txt", TokenizerTests.RandomText(2, 1000, "abc \n")));
        foreach (var path in Directory.GetFiles(folder))
        {
            var whole = File.ReadAllBytes(path);
            for (var at = 0; at < whole.Length; at += Math.Max(1, whole.Length / 40))
            {
                File.WriteAllBytes(path, [.. whole[..at], (byte)(whole[at] ^ 1), .. whole[(at + 1)..]]);
                File.SetLastWriteTimeUtc(path, DateTime.UnixEpoch.AddSeconds(at + 1)); // However coarse the disk's clock is.
                Assert.Contains(Path.GetFileName(path), Refusal(folder), StringComparison.Ordinal);
            }

            File.WriteAllBytes(path, whole[..^1]);
            Assert.Contains(Path.GetFileName(path), Refusal(folder), StringComparison.Ordinal);
            File.Delete(path);
            Assert.Contains("no such file", Refusal(folder), StringComparison.Ordinal);
            File.WriteAllBytes(path, whole);
            TokenShards.Open(folder);
        }
    }

    /// <summary>A manifest whose seal and hashes are right may still be wrong.</summary>
    [Fact]
    public void A_manifest_that_contradicts_itself_or_its_shards_is_refused()
    {
        var good = WriteShards(1000, [1, 2, 3, 4, 999], shardTokens: 2);
        Write(good with { Vocabulary = 999 });
        var refused = Assert.Throws<BadInputException>(() => TokenShards.Open(_folder.Path).Read(2, new long[3]));
        Assert.Contains("tokens-00002.bin has the token 999 at place 0; the manifest's vocabulary has 999", refused.Message, StringComparison.Ordinal);

        (TokenManifest Manifest, string Problem)[] wrong =
        [
            (good with { Tokens = 6 }, "announces 6 tokens, and its shards have 5"),
            (good with { DataType = "uint32" }, "has the data type 'uint32'; with 1,000 tokens it is uint16"),
            (good with { Vocabulary = 0 }, "has a vocabulary of 0"),
            (good with { Shards = [] }, "names no shards"),
            (good with { Shards = [good.Shards[0] with { Name = "../tokens-00000.bin" }] }, "names the shard '../tokens-00000.bin' where tokens-00000.bin is expected"),
            (good with { Shards = [good.Shards[2] with { Name = "tokens-00000.bin" }, good.Shards[1]] }, "gives tokens-00001.bin 2 tokens; all but the last have the same number"),
            (good with { FormatVersion = 2 }, "has format version 2; this version of Cluster reads version 1"),
        ];
        foreach (var (manifest, problem) in wrong)
        {
            Write(manifest);
            Assert.Contains(problem, Refusal(_folder.Path), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Tokens_that_are_fewer_than_a_window_are_refused()
    {
        await TokenizeAsync("t", 100, _folder.Write("a.txt", "0123456789"));
        var refused = Assert.Throws<BadInputException>(() => DataSets.Open(new DataSpec.Tokens { Path = "t" }, [_folder.Path], DataSplit.Train, 9));
        Assert.Contains("has 9 tokens, less than one window of 10 (sequence 9 and the token after it)", refused.Message, StringComparison.Ordinal);
    }

    private static string Refusal(string folder) => Assert.Throws<BadInputException>(() => TokenShards.Open(folder)).Message;

    private async Task<string> BytesOfAsync(string name, params string[] paths)
    {
        var shards = TokenShards.Open(await TokenizeAsync(name, 3, paths));
        var tokens = new long[shards.Length];
        shards.Read(0, tokens);
        return new string([.. tokens.Select(token => (char)token)]);
    }

    private Task<string> TokenizeAsync(string name, long shardTokens, params string[] paths) => TokenizeAsync(name, shardTokens, new ByteTokenizer(), null, paths);

    private async Task<string> TokenizeAsync(string name, long shardTokens, ITokenizer tokenizer, string? files, params string[] paths)
    {
        var folder = Path.Combine(_folder.Path, name);
        await TokenFolders.WriteAsync(folder, shardTokens, tokenizer, files, paths);
        return folder;
    }

    private TokenManifest WriteShards(int vocabulary, int[] tokens, long shardTokens)
    {
        using var writer = new TokenShardWriter(new Disk(), _folder.Path, vocabulary, shardTokens);
        for (var (at, step) = (0, 1); at < tokens.Length; (at, step) = (at + step, (3 * step) + 1)) { writer.Write(tokens.AsSpan(at, Math.Min(step, tokens.Length - at))); }
        var manifest = new TokenManifest
        {
            FormatVersion = 1, DataType = TokenManifest.DataTypeOf(vocabulary), Vocabulary = vocabulary, TokenizerSha256 = new string('0', 64), EndOfText = null,
            Documents = 1, TextBytes = 1, Sources = [], Shards = writer.Finish(), Tokens = writer.Tokens,
        };
        Write(manifest);
        return manifest;
    }

    private void Write(TokenManifest manifest) => _folder.Write("manifest.json", SealedJson.Encode(manifest));

    private static string Sha256(string path) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));
}
