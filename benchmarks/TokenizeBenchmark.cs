using System.Diagnostics;
using System.Text;
using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Data.Tokens;
using TorchSharp;
using static Cluster.Benchmarks.Statistics;

namespace Cluster.Benchmarks;

/// <summary>
/// How fast text becomes tokens on disk, on one core: bytes, and BPE with three vocabularies. Then how fast shards are read: hashed when
/// they are opened, and gathered as shuffled windows.
/// </summary>
internal static class TokenizeBenchmark
{
    /// <summary>Of both texts together, so that pieces come again as they do in a large corpus, and new ones too.</summary>
    private const int CorpusBytes = 32 << 20;

    private static readonly string[] s_texts = ["tinyshakespeare.txt", "wilhelm-meister.txt"];

    private static readonly int[] Vocabularies = [1024, 8192, 32768];

    public static int Run(string[] args)
    {
        var turns = 5;
        if (args.Length > 1 || (args.Length == 1 && !(int.TryParse(args[0], out turns) && turns > 0)))
        {
            Console.Error.WriteLine("usage: Cluster.Benchmarks tokenize [turns, at least 1; default 5]");
            return 2;
        }

        var folder = Directory.CreateTempSubdirectory("cluster-tokenize-").FullName;
        try
        {
            MeasureAsync(folder, turns).GetAwaiter().GetResult();
            return 0;
        }
        catch (BadInputException wrong)
        {
            Console.Error.WriteLine(wrong.Message);
            return 2;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task MeasureAsync(string folder, int turns)
    {
        string[] texts = [.. s_texts.Select(name => Path.Combine(DataRoots.Shipped, "text", name))];
        var corpus = Path.Combine(folder, "corpus.txt");
        WriteCorpus(corpus, texts);
        List<(string Name, string Tokenizer)> ways = [("bytes", ByteTokenizer.Name)];
        foreach (var vocabulary in Vocabularies)
        {
            var training = new BpeTraining();
            foreach (var text in texts) { training.Add(File.ReadAllBytes(text)); }
            var began = Stopwatch.GetTimestamp();
            var learnt = training.Learn(vocabulary);
            Console.WriteLine(FormattableString.Invariant($"BPE of {learnt.Tokens.Length:N0} tokens learnt from {texts.Sum(text => new FileInfo(text).Length) / 1e6:F1} MB in {Stopwatch.GetElapsedTime(began).TotalSeconds:F1} s"));
            var own = Directory.CreateDirectory(Path.Combine(folder, $"bpe-{vocabulary}")).FullName;
            learnt.Write(own);
            ways.Add(($"BPE {learnt.Tokens.Length}", own));
        }

        Console.WriteLine(FormattableString.Invariant($"{new FileInfo(corpus).Length / 1e6:F1} MB of text, {turns} turns, medians; one thread"));
        Console.WriteLine("tokenizer     text MB/s   tokens/s   bytes/token   hashed MB/s   windows: tokens/s");
        var seconds = ways.ToDictionary(way => way.Name, _ => (Write: new List<double>(), Hash: new List<double>(), Read: new List<double>()));
        var manifests = new Dictionary<string, TokenManifest>();
        for (var turn = -1; turn < turns; turn++) // One to warm up.
        {
            foreach (var (name, tokenizer) in ways)
            {
                var into = Path.Combine(folder, $"{turn}-{name.Replace(' ', '-')}");
                var written = await TimedAsync(async () => manifests[name] = await new Tokenization([new TextSource(corpus, TextFormat.Text, "")], Tokenizers.Open(tokenizer), 1 << 22)
                    .WriteAsync(into, tokenizer == ByteTokenizer.Name ? null : tokenizer, _ => { }, CancellationToken.None));
                var hashed = await TimedAsync(() => Task.FromResult(TokenShards.Open(into)));
                var read = await TimedAsync(() => Task.FromResult(Gather(into)));
                if (turn >= 0)
                {
                    seconds[name].Write.Add(written);
                    seconds[name].Hash.Add(hashed);
                    seconds[name].Read.Add(read);
                }

                Directory.Delete(into, recursive: true);
            }
        }

        foreach (var (name, _) in ways)
        {
            var (write, hash, read) = seconds[name];
            var manifest = manifests[name];
            Console.WriteLine(FormattableString.Invariant(
                $"{name,-12}{manifest.TextBytes / 1e6 / Median(write),11:F1}{manifest.Tokens / Median(write),11:N0}{(double)manifest.TextBytes / manifest.Tokens,14:F2}{manifest.Tokens * manifest.TokenBytes / 1e6 / Median(hash),14:F0}{Windows * (double)Sequence / Median(read),20:N0}"));
        }
    }

    private const int Windows = 16_384, Sequence = 256;

    private static int Gather(string folder)
    {
        var data = DataSets.Open(new DataSpec.Tokens { Path = folder }, [], DataSplit.Train, Sequence);
        var order = new SampleStream(1, data.Count);
        var samples = new long[64];
        for (var at = 0; at < Windows; at += samples.Length)
        {
            order.Fill(at, samples);
            data.Gather(samples, 0, torch.CPU).Dispose();
        }

        return Windows;
    }

    /// <summary>Lines of both texts in a shuffled order, again and again: each pass has another one.</summary>
    private static void WriteCorpus(string path, string[] texts)
    {
        var lines = texts.SelectMany(text => File.ReadLines(text)).ToArray();
        var order = new SampleStream(1, lines.Length);
        using var file = new StreamWriter(path, append: false, new UTF8Encoding(false)) { NewLine = "\n" };
        for (var at = 0L; file.BaseStream.Length < CorpusBytes; at++) { file.WriteLine(lines[order.At(at)]); }
    }

    private static async Task<double> TimedAsync<T>(Func<Task<T>> work)
    {
        var start = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
