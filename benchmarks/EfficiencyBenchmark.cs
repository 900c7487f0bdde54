using System.Globalization;
using static Cluster.Benchmarks.Statistics;

namespace Cluster.Benchmarks;

/// <summary>
/// Data-parallel efficiency: the same job, a GPT on text, with one worker process and with two, each with one math thread.
/// Beside it what the machine gives: two such processes at once that have nothing to do with each other.
/// </summary>
/// <remarks>
/// The three take turns. A sample is the time of one round, of the slowest process; the table has medians. Efficiency is the time
/// of one worker over twice that of two; ideal is 1. Options: <c>--turns 10</c>, <c>--rounds 3</c>, and keys of the spec, such as
/// <c>model.width=512</c>.
/// </remarks>
internal static class EfficiencyBenchmark
{
    private const string Spec = "gpt.yaml";

    public static int Run(string[] args)
    {
        var (turns, rounds, overrides) = (10, 3, new List<string>());
        for (var i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--turns" when i + 1 < args.Length: turns = Number(args[++i]); break;
                case "--rounds" when i + 1 < args.Length: rounds = Number(args[++i]); break;
                case var key when key.Contains('='): overrides.Add(key); break;
                default: Console.Error.WriteLine($"unknown option {args[i]}: known are --turns, --rounds and keys of the spec (key=value)"); return 2;
            }
        }

        using var one = Job(1);
        using var two = Job(2);
        using var strangers = new RankProcesses(2, _ => JobRank.Command(0, 1, Spec, overrides));
        strangers.Introduce(alone: true);

        (string Name, RankProcesses Processes, List<double> Times)[] contestants =
            [("one worker", one, []), ("two workers", two, []), ("two jobs at once", strangers, [])];
        foreach (var (_, processes, _) in contestants) { _ = processes.Time("rounds 2"); } // Warms up buffers and code.
        for (var turn = 0; turn < turns; turn++)
        {
            foreach (var (_, processes, times) in contestants) { times.AddRange(processes.Time($"rounds {rounds}")); }
        }

        foreach (var (name, _, times) in contestants)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-18} {Median(times),9:F1} ms a round (median of {times.Count}; fastest {times.Min():F1})"));
        }

        var (t1, t2, machine) = (Median(contestants[0].Times), Median(contestants[1].Times), Median(contestants[2].Times));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"efficiency of two workers over one: {t1 / (2 * t2):F3}; the machine itself gives two at once {t1 / machine:F3}; ours of that: {machine / (2 * t2):F3}"));
        return 0;

        RankProcesses Job(int count)
        {
            var ranks = new RankProcesses(count, rank => JobRank.Command(rank, count, Spec, overrides));
            ranks.Introduce(alone: false);
            return ranks;
        }
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
