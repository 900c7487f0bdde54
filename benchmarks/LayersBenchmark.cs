using System.Globalization;
using static Cluster.Benchmarks.Statistics;

namespace Cluster.Benchmarks;

/// <summary>
/// Layers shared out: a forward-forward net whose two halves cost the same, with one worker process and with two, each with one math
/// thread. Beside it the same two with leaves shared out, and what the machine gives: two jobs at once that have nothing to do with
/// each other.
/// </summary>
/// <remarks>
/// The contestants take turns. A sample is the mean time of a round over a stretch between two barriers, barrier included, of the
/// slowest process; the table has medians. With T leaves between barriers and P workers, ideal is P·T/(T + P - 1). Options:
/// <c>--turns 8</c>, and keys of the spec, such as <c>leaf=64</c>.
/// </remarks>
internal static class LayersBenchmark
{
    private const string Spec = "forward-forward.yaml";
    private const string ByLeaves = "forwardForward.parallel=data";
    private const int Rounds = 16; // Between two barriers.

    public static int Run(string[] args)
    {
        var (turns, overrides) = (8, new List<string>());
        for (var i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--turns" when i + 1 < args.Length: turns = int.Parse(args[++i], CultureInfo.InvariantCulture); break;
                case var key when key.Contains('='): overrides.Add(key); break;
                default: Console.Error.WriteLine($"unknown option {args[i]}: known are --turns and keys of the spec (key=value)"); return 2;
            }
        }

        using var one = Job(1, []);
        using var layers = Job(2, []);
        using var leaves = Job(2, [ByLeaves]);
        using var strangers = new RankProcesses(2, _ => JobRank.Command(0, 1, Spec, overrides));
        strangers.Introduce(alone: true);

        (string Name, RankProcesses Processes, List<double> Times)[] contestants =
            [("one worker", one, []), ("two, by layers", layers, []), ("two, by leaves", leaves, []), ("two jobs at once", strangers, [])];
        foreach (var (_, processes, _) in contestants) { _ = processes.Time($"span {Rounds}").ToArray(); } // Warms up buffers and code.
        for (var turn = 0; turn < turns; turn++)
        {
            foreach (var (_, processes, times) in contestants) { times.AddRange(processes.Time($"span {Rounds}")); }
        }

        foreach (var (name, _, times) in contestants)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-18} {Median(times),9:F1} ms a round (median of {times.Count}; fastest {times.Min():F1})"));
        }

        var (t1, byLayers, byLeaves, machine) = (Median(contestants[0].Times), Median(contestants[1].Times), Median(contestants[2].Times), Median(contestants[3].Times));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"speed-up of two workers over one: by layers {t1 / byLayers:F3}, by leaves {t1 / byLeaves:F3}; the machine itself gives two at once {2 * t1 / machine:F3}; by layers of that: {machine / (2 * byLayers):F3}"));
        return 0;

        RankProcesses Job(int count, string[] more)
        {
            var ranks = new RankProcesses(count, rank => JobRank.Command(rank, count, Spec, [.. overrides, .. more]));
            ranks.Introduce(alone: false);
            return ranks;
        }
    }
}
