using System.Globalization;
using static Cluster.Benchmarks.Statistics;

namespace Cluster.Benchmarks;

/// <summary>
/// A sum that begins while the gradients are computed, beside one that comes after them: a GPT of 11 million parameters on two worker
/// processes with one math thread and one leaf each, joined by links of several speeds. Beside it two such processes that add nothing up.
/// </summary>
/// <remarks>
/// The contestants take turns. A sample is the time of one round, of the slowest process; the table has medians. Options:
/// <c>--turns 8</c>, <c>--mbit 500,1000,2500</c>, and keys of the spec, such as <c>model.width=512</c>.
/// </remarks>
internal static class OverlapBenchmark
{
    private const string Spec = "gpt.yaml";
    private const int Rounds = 3; // In a turn.

    private static readonly string[] Size = ["model.layers=6", "model.width=384", "model.heads=6", "batch=8", "leaf=4"];

    public static int Run(string[] args)
    {
        var (turns, speeds, overrides) = (8, new[] { 500, 1000, 2500 }, new List<string>(Size));
        for (var i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--turns" when i + 1 < args.Length: turns = Number(args[++i]); break;
                case "--mbit" when i + 1 < args.Length: speeds = [.. args[++i].Split(',').Select(Number)]; break;
                case var key when key.Contains('='): overrides.Add(key); break;
                default: Console.Error.WriteLine($"unknown option {args[i]}: known are --turns, --mbit and keys of the spec (key=value)"); return 2;
            }
        }

        var links = new List<PacedLink>();
        var strangers = new RankProcesses(2, _ => JobRank.Command(0, 1, Spec, [.. overrides, "batch=4"]));
        strangers.Introduce(alone: true);
        (int Mbit, bool IsAhead, RankProcesses Processes, List<double> Times)[] contestants =
        [
            (0, false, strangers, []),
            .. from mbit in speeds from isAhead in (bool[])[false, true] select (mbit, isAhead, Job(mbit, isAhead), new List<double>()),
        ];
        foreach (var (_, _, processes, _) in contestants) { _ = processes.Time("rounds 2").ToArray(); } // Warms up buffers and code.
        for (var turn = 0; turn < turns; turn++)
        {
            foreach (var (_, _, processes, times) in contestants) { times.AddRange(processes.Time($"rounds {Rounds}")); }
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"two processes that add nothing up: {Median(contestants[0].Times):F1} ms a round (median of {turns * Rounds})\n"));
        Console.WriteLine("| link, Mbit/s each way | sum after the leaves, ms a round | sum begun in them | ratio |\n|---:|---:|---:|---:|");
        foreach (var mbit in speeds)
        {
            var (after, ahead) = (Of(mbit, false), Of(mbit, true));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {mbit} | {after:F1} | {ahead:F1} | {ahead / after:F3} |"));
        }

        foreach (var (_, _, processes, _) in contestants) { processes.Dispose(); }
        links.ForEach(link => link.Dispose());
        return 0;

        double Of(int mbit, bool isAhead) => Median(contestants.Single(c => c.Mbit == mbit && c.IsAhead == isAhead).Times);

        RankProcesses Job(int mbit, bool isAhead)
        {
            var ranks = new RankProcesses(2, rank => JobRank.Command(rank, 2, Spec, [.. overrides, JobRank.Apart, .. isAhead ? [] : (string[])[JobRank.SumAfter]]));
            ranks.Introduce(alone: false, port =>
            {
                links.Add(new PacedLink(port, mbit * 1e6 / 8));
                return links[^1].Port;
            });
            return ranks;
        }
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
