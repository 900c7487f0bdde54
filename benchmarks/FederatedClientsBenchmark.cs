using System.Globalization;
using static Cluster.Benchmarks.Statistics;

namespace Cluster.Benchmarks;

/// <summary>
/// Many simulated clients on one worker: rounds a second and peak memory by how many clients are trained together
/// (<c>federated.clientsTogether</c>), beside one by one, for mlps of several widths on MNIST. The ways take turns; the table has
/// medians. By this measurement the default of the key was chosen (<c>ClientGroups</c>).
/// </summary>
/// <remarks>
/// Options: <c>--together 2,8,32</c>, <c>--hidden 16,64,256</c>, <c>--turns 5</c>, <c>--rounds 3</c> (in a turn), and keys of the spec,
/// such as <c>federated.localEpochs=1</c>. Needs MNIST. Memory from Linux.
/// </remarks>
internal static class FederatedClientsBenchmark
{
    private const string Spec = "federated-mnist.yaml";

    public static int Run(string[] args)
    {
        int[] sizes = [2, 4, 8, 16, 32], widths = [16, 64, 256];
        var (turns, rounds, overrides) = (5, 3, new List<string>());
        for (var i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--together" when i + 1 < args.Length: sizes = Numbers(args[++i]); break;
                case "--hidden" when i + 1 < args.Length: widths = Numbers(args[++i]); break;
                case "--turns" when i + 1 < args.Length: turns = Numbers(args[++i])[0]; break;
                case "--rounds" when i + 1 < args.Length: rounds = Numbers(args[++i])[0]; break;
                case var key when key.Contains('='): overrides.Add(key); break;
                default: Console.Error.WriteLine($"unknown option {args[i]}: known are --together, --hidden, --turns, --rounds and keys of the spec (key=value)"); return 2;
            }
        }

        Console.WriteLine($"{"hidden",7} {"together",9} {"ms a round",11} {"rounds/s",9} {"over one by one",16} {"peak memory",12} {"over one by one",16}");
        foreach (var width in widths) { Measure(width, sizes, turns, rounds, overrides); }
        return 0;
    }

    private static void Measure(int width, int[] sizes, int turns, int rounds, List<string> overrides)
    {
        (int Size, RankProcesses Process, List<double> Times)[] ways = [.. sizes.Prepend(1).Select(size => (size, Start(width, size, overrides), new List<double>()))];
        foreach (var way in ways) { _ = way.Process.Time("rounds 20"); } // Until the code is compiled for good.
        for (var turn = 0; turn < turns; turn++)
        {
            foreach (var way in ways) { way.Times.AddRange(way.Process.Time($"rounds {rounds}")); }
        }

        var alone = (Time: Median(ways[0].Times), Peak: Peak(ways[0].Process));
        foreach (var way in ways)
        {
            var (time, peak) = (Median(way.Times), Peak(way.Process));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{width,7} {(way.Size == 1 ? "one by one" : way.Size),9} {time,11:F2} {1000 / time,9:F1} {alone.Time / time,15:F2}x {peak / 1e6,9:F0} MB {Math.Round((peak - alone.Peak) / 1e6),13:+0;-0;0} MB"));
            way.Process.Dispose();
        }
    }

    private static RankProcesses Start(int width, int size, List<string> overrides)
    {
        var process = new RankProcesses(1, _ => JobRank.Command(0, 1, Spec, [$"model.hidden=[{width}]", $"federated.clientsTogether={size}", .. overrides]));
        process.Introduce(alone: true);
        return process;
    }

    private static double Peak(RankProcesses process)
    {
        process.Tell("memory");
        return JobRank.Memory.Parse(process.Hear()[0]).Peak;
    }

    private static int[] Numbers(string text) => [.. text.Split(',').Select(number => int.Parse(number, CultureInfo.InvariantCulture))];
}
