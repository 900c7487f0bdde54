using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Tests.Data;
using Cluster.Tests.Rounds;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Data.Tokens;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Methods.Continual;
using Cluster.Trainer.Rounds;
using static TorchSharp.torch;

namespace Cluster.Tests.Tokens;

/// <summary>Jobs over token shards, under the real loop.</summary>
[Collection(TorchTests.Name)]
public sealed class TokenJobTests : IDisposable
{
    private const string Lamb =
        """
        name: tokens
        method: lamb
        model: {kind: gpt, layers: 1, width: 16, heads: 2, context: 16}
        data: {kind: tokens, path: plays}
        batch: 12
        leaf: 5
        rounds: 6
        schedule: {lr: 0.02}
        evaluate: {samples: 16}
        """;

    private const string Continual =
        """
        name: two-token-sets
        method: continual
        model: {kind: gpt, layers: 1, width: 16, heads: 2, context: 16}
        batch: 8
        leaf: 3
        optimizer: {kind: adamw}
        continual:
          schedule: {kind: infinite, max: 1e-2, constant: 4e-3, min: 4e-4, warmupEnd: 2, cooldownEnd: 4}
          stages:
            - {name: plays, data: {kind: tokens, path: plays}, updates: 4, release: {updates: 2}}
            - {name: prose, data: {kind: tokens, path: prose}, updates: 4, mixture: {kind: replay, share: 0.5}, release: {updates: 2, mixture: {kind: equal}}}
        evaluate: {samples: 16}
        """;

    private static readonly string s_texts = Path.Combine(DataRoots.Shipped, "text");
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Bytes_in_shards_give_the_weights_of_the_text_itself()
    {
        await TokenFolders.WriteAsync(Path.Combine(_folder.Path, "plays"), 100_003, new ByteTokenizer(), null, Path.Combine(s_texts, "tinyshakespeare.txt"));
        var spec = Read(Lamb);
        var text = Read(Lamb.Replace("{kind: tokens, path: plays}", "{kind: text, files: [text/tinyshakespeare.txt]}", StringComparison.Ordinal));
        Assert.Equal(Answer(text, 1), Answer(spec, 1));
        Assert.NotEqual(Answer(text with { Seed = 2 }, 1), Answer(spec, 1));
    }

    [Fact]
    public async Task The_weights_are_the_same_for_any_number_of_workers_and_any_size_of_the_shards()
    {
        await WriteBpeAsync("plays", 40_000, "tinyshakespeare.txt");
        await WriteBpeAsync("large", 1_000_000, "tinyshakespeare.txt");
        var expected = Answer(Read(Lamb), 1);
        Assert.Equal(expected, Answer(Read(Lamb), 2));
        Assert.Equal(expected, Answer(Read(Lamb), 3));
        Assert.Equal(expected, Answer(Read(Lamb, "data.path=large"), 1));
        using var method = TrainingMethods.Create(Read(Lamb), Roots, CPU);
        Assert.Equal([400L, 16L], method.State.Layout.Parameters.Single(parameter => parameter.Name == "token.weight").Shape.ToArray()); // The manifest's vocabulary.
    }

    [Fact]
    public async Task A_trunk_over_two_token_sets_with_replay_is_the_same_for_any_number_of_workers()
    {
        await WriteBpeAsync("plays", 40_000, "tinyshakespeare.txt");
        await WriteBpeAsync("prose", 100_000, "wilhelm-meister.txt");
        var spec = DataRecord.Record(Read(Continual), Roots);
        var expected = Answer(spec, 1);
        Assert.Equal(expected, Answer(spec, 2));

        // The record is of the manifest, which has the hashes of the shards: other tokens are refused.
        Assert.Equal(new FileInfo(Path.Combine(_folder.Path, "prose", "manifest.json")).Length, spec.Continual!.Stages[1].Bytes);
        Directory.Delete(Path.Combine(_folder.Path, "prose"), recursive: true);
        await WriteBpeAsync("prose", 100_000, "tinyshakespeare.txt");
        Assert.Contains("stage 'prose': the data changed since they were recorded", Assert.Throws<BadInputException>(() => StageData.OpenAll(spec, Roots)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stages_with_tokens_of_different_tokenizers_are_refused()
    {
        await WriteBpeAsync("plays", 1_000_000, "tinyshakespeare.txt");
        await WriteBpeAsync("prose", 1_000_000, "wilhelm-meister.txt", learnFrom: "wilhelm-meister.txt");
        var refused = Assert.Throws<BadInputException>(() => StageData.OpenAll(Read(Continual), Roots));
        Assert.Contains("stage 'prose' has tokens of another tokenizer", refused.Message, StringComparison.Ordinal);
        Assert.Contains("stage 'prose' has samples of [16] with 256 classes, stage 'plays' of [16] with 400", Assert.Throws<BadInputException>(() => StageData.OpenAll(
            Read(Continual.Replace("{kind: tokens, path: prose}", "{kind: text, files: [text/wilhelm-meister.txt]}", StringComparison.Ordinal)), Roots)).Message, StringComparison.Ordinal);
    }

    private IReadOnlyList<string> Roots => [_folder.Path, DataRoots.Shipped];

    private static JobSpec Read(string yaml, params string[] overrides) => SpecReader.Read(yaml, "spec.yaml", overrides).Require();

    private async Task WriteBpeAsync(string name, long shardTokens, string text, string learnFrom = "tinyshakespeare.txt")
    {
        var tokenizer = Path.Combine(_folder.Path, $"bpe-of-{learnFrom}");
        if (!Directory.Exists(tokenizer))
        {
            TokenizerTests.Learn(File.ReadAllText(Path.Combine(s_texts, learnFrom))[..100_000], 400).Write(Directory.CreateDirectory(tokenizer).FullName);
        }

        await TokenFolders.WriteAsync(Path.Combine(_folder.Path, name), shardTokens, Tokenizers.Open(tokenizer), tokenizer, Path.Combine(s_texts, text));
    }

    /// <summary>The bits of the state after the last round, which are the same on every rank.</summary>
    private string Answer(JobSpec spec, int ranks)
    {
        var methods = Enumerable.Range(0, ranks).Select(_ => TrainingMethods.Create(spec, Roots, CPU)).ToArray();
        Ranks.Run(ranks, mesh =>
        {
            using var loop = new RoundLoop(methods[mesh.Rank], spec, new Recorder());
            return loop.Run(mesh, () => default);
        });
        var answers = methods.Select(method => string.Concat(method.State.Buffers.Select(b => Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes(b.Buffer.Span)))))).Distinct().ToArray();
        foreach (var method in methods) { method.Dispose(); }
        return Assert.Single(answers);
    }
}
