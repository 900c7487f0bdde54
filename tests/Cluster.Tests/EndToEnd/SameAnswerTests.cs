using System.Globalization;
using System.Text.Json;
using Cluster.Tests.Elastic;

namespace Cluster.Tests.EndToEnd;

/// <summary>The first promise: a job's final weights are a function of its spec alone.</summary>
[Collection(EndToEndTests.Name)]
public sealed class SameAnswerTests : IDisposable
{
    private readonly string _store = Directory.CreateTempSubdirectory("cluster-e2e-").FullName;

    /// <summary>13 leaves a round, the last one ragged: no number of workers divides them evenly.</summary>
    private const string Digits = """
        name: digits
        method: lamb
        model: { kind: mlp, hidden: [48], dropout: 0.1 }
        data: { kind: digits }
        batch: 500
        leaf: 40
        rounds: 60
        schedule: { lr: 0.02, warmupRounds: 5 }
        clip: { norm: 1 }
        checkpoint: { everyRounds: 10 }
        """;

    private const string Bert = """
        name: bert
        method: lamb
        model: { kind: bert, layers: 1, width: 32, heads: 2, context: 32, dropout: 0.1 }
        data: { kind: text, files: [text/tinyshakespeare.txt] }
        batch: 48
        leaf: 5
        rounds: 12
        schedule: { lr: 0.01, warmupRounds: 3 }
        checkpoint: { everyRounds: 3 }
        evaluate: { samples: 256 }
        """;

    private const string ResNet = """
        name: resnet
        method: lamb
        model: { kind: resnet, blocksPerGroup: 1, width: 4, norm: batch }
        data: { kind: digits }
        batch: 96
        leaf: 20
        rounds: 6
        schedule: { lr: 0.01 }
        evaluate: { samples: 256 }
        """;

    private const string Mae = """
        name: mae
        method: lamb
        model: { kind: mae, patch: 2, layers: 1, width: 32, heads: 2, decoder: { width: 16, heads: 2 } }
        data: { kind: digits }
        batch: 96
        leaf: 20
        rounds: 8
        schedule: { lr: 0.01 }
        evaluate: { samples: 256 }
        """;

    /// <summary>A module from a file, with dropout.</summary>
    private const string Script = """
        name: script
        method: lamb
        model: { kind: torchscript, file: models/digits-mlp.pt }
        data: { kind: digits }
        batch: 96
        leaf: 20
        rounds: 8
        schedule: { lr: 0.01 }
        evaluate: { samples: 256 }
        """;

    /// <summary>7 clients a round are its leaves, of very unequal sizes; both rates move.</summary>
    private const string Federated = """
        name: federated
        method: fedHyper
        model: { kind: mlp, hidden: [32] }
        data: { kind: digits }
        rounds: 12
        federated:
          partition: { kind: dirichlet, clients: 20, alpha: 0.3 }
          clientsPerRound: 7
          localEvaluation: { share: 0.2 }
          localEpochs: 1
          localBatch: 16
          localLr: 0.01
          scheduler: { kind: fedHyper, variant: g+cl }
          server: { kind: fedAdam, lr: 0.01 }
        """;

    /// <summary>
    /// One cluster for all of them, since most of the time goes into starting processes; <c>cluster run</c>, which starts its own, comes to
    /// the same. <c>CLUSTER_WORKER_COUNTS=1,2,3,5</c> takes other numbers than these.
    /// </summary>
    [Fact]
    public async Task Weights_are_the_same_bits_for_any_number_of_workers()
    {
        (string Name, int[] Counts)[] jobs =
        [
            (nameof(Digits), Counts(1, 2, 3, 4, 7)), (nameof(Bert), Counts(1, 2, 3, 4, 7)), (nameof(ResNet), Counts(1, 3, 7)),
            (nameof(Mae), Counts(1, 3)), (nameof(Script), Counts(1, 3)), (nameof(Federated), Counts(1, 3)),
        ];
        var (result, report) = Tool.RunJob(Write(nameof(Digits)), _store, "--workers", "2");
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Equal(2, report.GetProperty("workers").GetArrayLength());

        await using var cluster = await TestCluster.StartAsync(jobs.Max(job => job.Counts.Max()));
        foreach (var (name, counts) in jobs)
        {
            var answers = name == nameof(Digits) ? [Answer(report)] : new List<(string?, string, long)>();
            foreach (var workers in counts)
            {
                var view = await cluster.UntilEndAsync(await cluster.SubmitAsync($"{name}-{workers}".ToLowerInvariant(), SpecOf(name), workers, workers));
                Assert.Equal(workers, view.Workers.Count(worker => worker.Rank >= 0));
                answers.Add((view.WeightsSha256, Measured(view.Metrics.OrderBy(metric => metric.Key, StringComparer.Ordinal).Select(metric => (metric.Key, $"{metric.Value:R}"))), view.SamplesSeen));
            }

            Assert.All(answers, answer => Assert.Equal(answers[0], answer));
        }
    }

    /// <summary>On the screen, in the report and in the job's folder.</summary>
    [Fact]
    public void What_is_measured_at_the_clients_is_shown_and_kept()
    {
        var (result, report) = Tool.RunJob(Write(nameof(Federated), "rounds: 12", "rounds: 2"), _store, "--workers", "1", "--set", "evaluate.everyRounds=1");
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Matches(@"round 2: evaluation loss \d\.\d{4}, accuracy [\d.]+ ?%; at 20 clients: loss \d\.\d{4} \(\d\.\d{4} to \d+\.\d{4}\), accuracy [\d.]+ ?% \([\d.]+ ?% to [\d.]+ ?%\)", result.Output);
        Assert.InRange(report.GetProperty("metrics").GetProperty("localEvalLossMedian").GetDouble(), 0.01, 10);

        var lines = File.ReadAllLines(Directory.GetFiles(_store, "evaluations.jsonl", SearchOption.AllDirectories).Single());
        Assert.Equal([20, 20], lines.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("values").GetProperty("localEvalClients").GetInt32()));
    }

    [Fact]
    public void A_job_stopped_with_ctrl_c_resumes_to_the_same_bits()
    {
        var spec = Write(nameof(Digits), "rounds: 60", "rounds: 500");
        var whole = Answer(Tool.RunJob(spec, Path.Combine(_store, "whole"), "--workers", "2").Report);

        using (var run = Tool.Start("run", spec, "--store", _store, "--workers", "2"))
        {
            run.WaitUntil(() => Checkpoints().Length > 0, "a first checkpoint");
            run.Interrupt();
            var stopped = run.End();
            Assert.True(stopped.ExitCode == 130, stopped.All);
            Assert.Contains("--resume", stopped.Output, StringComparison.Ordinal);
        }

        var (result, report) = Tool.RunJob(spec, _store, "--workers", "3", "--resume");
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Equal(whole, Answer(report));
    }

    [Theory]
    [InlineData(nameof(Digits), "rounds: 60", "rounds: 500")]
    [InlineData(nameof(Bert), "rounds: 12", "rounds: 30")]
    public void A_job_whose_processes_are_all_killed_resumes_to_the_same_bits(string job, string rounds, string more)
    {
        var spec = Write(job, rounds, more);
        var whole = Answer(Tool.RunJob(spec, Path.Combine(_store, "whole"), "--workers", "1").Report);

        // Twice, so that a resumed job is itself killed and resumed.
        for (var kills = 0; kills < 2; kills++)
        {
            using var run = Tool.Start(["run", spec, "--store", _store, "--workers", "2", .. kills > 0 ? ["--resume"] : Array.Empty<string>()]);
            var before = Checkpoints().LastOrDefault();
            run.WaitUntil(() => Checkpoints().LastOrDefault() != before, "a new checkpoint");
            run.KillAll();
        }

        var (result, report) = Tool.RunJob(spec, _store, "--workers", "2", "--resume");
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Equal(whole, Answer(report));
    }

    private string Write(string job, string find = "", string replace = "")
    {
        var text = SpecOf(job);
        if (find.Length > 0) { text = text.Replace(find, replace, StringComparison.Ordinal); }
        var path = Path.Combine(_store, $"{job}.yaml");
        File.WriteAllText(path, text);
        return path;
    }

    private string[] Checkpoints() => Directory.Exists(Path.Combine(_store, "jobs"))
        ? [.. Directory.EnumerateDirectories(Path.Combine(_store, "jobs"), "round-*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)]
        : [];

    private static string SpecOf(string job) => job switch
    {
        nameof(Digits) => Digits,
        nameof(Bert) => Bert,
        nameof(ResNet) => ResNet,
        nameof(Mae) => Mae,
        nameof(Script) => Script,
        nameof(Federated) => Federated,
        _ => throw new ArgumentOutOfRangeException(nameof(job), job, "no job of these tests"),
    };

    private static int[] Counts(params int[] byDefault) => Environment.GetEnvironmentVariable("CLUSTER_WORKER_COUNTS") is { } others
        ? [.. others.Split(',').Select(count => int.Parse(count, CultureInfo.InvariantCulture))]
        : byDefault;

    /// <summary>Everything that the promise covers: the weights, and what is measured with them.</summary>
    private static (string Sha, string Evaluation, long Samples) Answer(JsonElement report) => (
        report.GetProperty("weightsSha256").GetString()!,
        Measured(report.GetProperty("metrics").EnumerateObject().Select(metric => (metric.Name, metric.Value.GetRawText()))),
        report.GetProperty("samplesSeen").GetInt64());

    private static string Measured(IEnumerable<(string Name, string Value)> metrics) =>
        string.Join(", ", metrics.Where(metric => metric.Name.Contains("eval", StringComparison.OrdinalIgnoreCase)).Select(metric => $"{metric.Name} {metric.Value}"));

    public void Dispose() => Directory.Delete(_store, recursive: true);
}

/// <summary>Whole clusters of processes: one at a time on a small machine.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class EndToEndTests
{
    public const string Name = "end to end";
}
