using Cluster.Trainer.Core.Data;

namespace Cluster.Tests.EndToEnd;

/// <summary>From text to a model that writes in words, as a user does it.</summary>
[Collection(EndToEndTests.Name)]
public sealed class TokenRunTests : IDisposable
{
    private const string Yaml = """
        name: words
        method: continual
        model: { kind: gpt, layers: 1, width: 16, heads: 2, context: 16 }
        batch: 8
        leaf: 4
        optimizer: { kind: adamw }
        continual:
          schedule: { kind: infinite, max: 1e-2, constant: 4e-3, min: 4e-4, warmupEnd: 2, cooldownEnd: 4 }
          stages:
            - { name: plays, data: { kind: tokens, path: plays }, updates: 4 }
            - { name: lines, data: { kind: tokens, path: lines }, updates: 4, mixture: { kind: replay, share: 0.5 }, release: { updates: 2 } }
          preview: { prompt: "Wer ist", tokens: 10 }
        evaluate: { samples: 16 }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("cluster-tokens-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Text_becomes_tokens_and_a_model_over_them_writes_text()
    {
        var plays = Path.Combine(DataRoots.Shipped, "text", "tinyshakespeare.txt");
        var lines = Path.Combine(_folder, "lines.jsonl");
        File.WriteAllLines(lines, File.ReadLines(Path.Combine(DataRoots.Shipped, "text", "wilhelm-meister.txt")).Take(500).Select(line => $"{{\"body\": {System.Text.Json.JsonSerializer.Serialize(line)}}}"));

        await SayAsync("bpe: 400 tokens", "data", "train-tokenizer", plays, "--vocabulary", "400", "--out", At("bpe"));
        await SayAsync("in 7 shards (uint16), of 1 document", "data", "tokenize", plays, "--tokenizer", At("bpe"), "--out", At("plays"), "--shard-tokens", "100000");
        await SayAsync("in 1 shard (uint16), of 500 documents", "data", "tokenize", lines, "--field", "body", "--tokenizer", At("bpe"), "--out", At("lines"));
        await RefuseAsync("--out: ", "exists already", "data", "tokenize", lines, "--field", "body", "--out", At("lines"));
        await RefuseAsync("lines.jsonl line 1 has no field 'text'; it has body", "", "data", "tokenize", lines, "--out", At("more"));
        await RefuseAsync("--shard-tokens: found 0, allowed: 1 to", "", "data", "tokenize", lines, "--out", At("more"), "--shard-tokens", "0");
        await RefuseAsync("--format: found csv, allowed: text, jsonl or parquet", "", "data", "tokenize", lines, "--out", At("more"), "--format", "csv");
        await RefuseAsync("--vocabulary: found 256, allowed: 257 to", "", "data", "train-tokenizer", plays, "--out", At("more"), "--vocabulary", "256");

        var spec = Path.Combine(_folder, "words.yaml");
        File.WriteAllText(spec, Yaml);
        var run = Tool.Run("run", spec, "--store", At("store"), "--workers", "2");
        Assert.True(run.ExitCode == 0, run.All);
        Assert.Contains("Wer ist", run.Output, StringComparison.Ordinal);

        // The tokenizer is found through the data, or named; without either it cannot be known.
        var job = Path.Combine(At("store"), "jobs", "words-1");
        string[] generate = ["generate", job, "--prompt", "Wer ist", "--tokens", "10"];
        var named = await Tool.RunHereAsync([.. generate, "--tokenizer", At("bpe")]);
        Assert.True(named.ExitCode == 0, named.All);
        Assert.StartsWith("Wer ist", named.Output, StringComparison.Ordinal);
        Assert.Equal(named.Output, (await Tool.RunHereAsync([.. generate, "--data", _folder])).Output);
        await RefuseAsync("data set 'lines' not found", "--tokenizer", generate);
        await RefuseAsync("token.weight", "", [.. generate, "--tokenizer", "bytes"]);

        // A shard that changed is found before anything starts.
        var shard = Path.Combine(At("plays"), "tokens-00003.bin");
        var bytes = File.ReadAllBytes(shard);
        bytes[1000] ^= 1;
        File.WriteAllBytes(shard, bytes);
        await RefuseAsync("tokens-00003.bin was changed or damaged after it was written", "stage 'plays'", "run", spec, "--store", At("store"));
    }

    private string At(string name) => Path.Combine(_folder, name);

    private static async Task SayAsync(string words, params string[] args)
    {
        var result = await Tool.RunHereAsync(args);
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Contains(words, result.Output, StringComparison.Ordinal);
    }

    private static async Task RefuseAsync(string words, string more, params string[] args)
    {
        var result = await Tool.RunHereAsync(args);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(words, result.Error, StringComparison.Ordinal);
        Assert.Contains(more, result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }
}
