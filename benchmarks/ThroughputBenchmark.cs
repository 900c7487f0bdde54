using System.Globalization;
using Cluster.Contracts.Spec;
using static Cluster.Benchmarks.Statistics;

namespace Cluster.Benchmarks;

/// <summary>
/// Tokens a second of a continual gpt job, one worker in the production loop, beside the same model written directly in TorchSharp
/// (<see cref="DirectGpt"/>): forward, backward, clipping and AdamW on both sides, batches and loss included.
/// </summary>
/// <remarks>
/// Both processes live through the whole run and take turns, a block of updates each, so that what the machine does meanwhile falls on
/// both. A sample is the time of one update; the table has medians. Options: <c>--turns 10</c>, <c>--seconds 1</c> (of a block), and
/// keys of the spec, such as <c>threads=2</c>.
/// </remarks>
internal static class ThroughputBenchmark
{
    private const string Spec = "continual-throughput.yaml";

    private static readonly (string Name, string[] Settings)[] s_sizes =
    [
        ("2 layers, width 64, context 64", []),
        ("4 layers, width 128, context 128", ["model={kind: gpt, layers: 4, width: 128, heads: 4, context: 128}"]),
    ];

    public static int Run(string[] args)
    {
        var (turns, seconds, overrides) = (10, 1.0, new List<string>());
        for (var i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--turns" when i + 1 < args.Length: turns = int.Parse(args[++i], CultureInfo.InvariantCulture); break;
                case "--seconds" when i + 1 < args.Length: seconds = double.Parse(args[++i], CultureInfo.InvariantCulture); break;
                case var key when key.Contains('='): overrides.Add(key); break;
                default: Console.Error.WriteLine($"unknown option {args[i]}: known are --turns, --seconds and keys of the spec (key=value)"); return 2;
            }
        }

        Console.WriteLine("Medians of one update; ratio: tokens a second of the job over those of the direct loop");
        foreach (var (name, settings) in s_sizes) { Measure(name, [.. settings, .. overrides], turns, seconds); }
        return 0;
    }

    private static void Measure(string name, string[] settings, int turns, double seconds)
    {
        var spec = SoleWorker.Read(Spec, settings);
        var tokens = spec.Batch!.Value * ((ModelSpec.Gpt)spec.Model!).Context;
        using var job = new RankProcesses(1, _ => JobRank.Command(0, 1, Spec, settings));
        using var direct = new RankProcesses(1, _ => RankProcesses.ThisProgram(["direct-gpt", Spec, .. settings]));
        job.Introduce(alone: true);
        direct.Introduce(alone: true);

        var warm = Math.Max(Median([.. job.Time("rounds 5")]), Median([.. direct.Time("rounds 5")]));
        var block = Math.Max(3, (int)(1000 * seconds / warm));
        var (ours, theirs) = (new List<double>(), new List<double>());
        for (var turn = 0; turn < turns; turn++)
        {
            ours.AddRange(job.Time($"rounds {block}"));
            theirs.AddRange(direct.Time($"rounds {block}"));
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{name,-34} {spec.Threads} threads: job {Median(ours),7:F2} ms, {1000 * tokens / Median(ours),8:F0} tokens/s; direct {Median(theirs),7:F2} ms, {1000 * tokens / Median(theirs),8:F0} tokens/s; ratio {Median(theirs) / Median(ours):F3} (fastest {theirs.Min() / ours.Min():F3}; {ours.Count} updates each)"));
    }
}
