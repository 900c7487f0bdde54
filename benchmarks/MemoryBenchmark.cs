using System.Globalization;

namespace Cluster.Benchmarks;

/// <summary>
/// Memory of a worker. First whether it grows: a small job over many rounds. Then how much it is: a GPT of 25 million parameters,
/// its peak beside what the flat buffers add up to. Two workers each, so that the data plane's buffers count; Linux only.
/// </summary>
/// <remarks>Option: <c>--rounds 2000</c> of the small job.</remarks>
internal static class MemoryBenchmark
{
    private const string Spec = "gpt.yaml";
    private const int Workers = 2, Samples = 20, LargeRounds = 3;

    /// <summary>About 53,000 parameters: a round takes milliseconds.</summary>
    private static readonly string[] s_small = ["model.layers=1", "model.width=64", "model.context=16", "model.heads=2", "batch=8", "leaf=2"];

    /// <summary>12 · 8 · 512² parameters in the layers; little in the activations of one sample a leaf.</summary>
    private static readonly string[] s_large = ["model.layers=8", "model.width=512", "model.heads=8", "batch=4", "leaf=1"];

    public static int Run(string[] args)
    {
        var rounds = args is ["--rounds", var text] ? int.Parse(text, CultureInfo.InvariantCulture) : 2000;
        Growth(rounds);
        Peak();
        return 0;
    }

    private static void Growth(int rounds)
    {
        using var ranks = Job(s_small);
        Console.WriteLine($"{"round",7} {"resident",12} {"of the second worker",22}");
        var samples = new List<JobRank.Memory[]>();
        for (var sample = 1; sample <= Samples; sample++)
        {
            _ = ranks.Time($"rounds {rounds / Samples}");
            var now = Ask(ranks);
            samples.Add(now);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{sample * (rounds / Samples),7} {Mega(now[0].Now),9:F1} MB {Mega(now[1].Now),19:F1} MB"));
        }

        foreach (var since in (int[])[Samples / 10, Samples / 2]) // The garbage collector's own share settles late.
        {
            var growth = samples[^1].Zip(samples[since - 1], (last, first) => Mega(last.Now - first.Now));
            Console.WriteLine($"growth after round {since * (rounds / Samples)}: {string.Join(", ", growth.Select(g => string.Create(CultureInfo.InvariantCulture, $"{g:F1} MB")))}");
        }
    }

    private static void Peak()
    {
        using var ranks = Job(s_large);
        _ = ranks.Time($"rounds {LargeRounds}");
        foreach (var (rank, memory) in Ask(ranks).Index())
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"worker {rank}: peak {Mega(memory.Peak):F0} MB, of it {Mega(memory.Base):F0} MB before the job; flat buffers {Mega(memory.Flat):F0} MB; peak over flat {(double)memory.Peak / memory.Flat:F2}, without what was there before {(double)(memory.Peak - memory.Base) / memory.Flat:F2}"));
        }
    }

    private static RankProcesses Job(string[] overrides)
    {
        var ranks = new RankProcesses(Workers, rank => JobRank.Command(rank, Workers, Spec, overrides));
        ranks.Introduce(alone: false);
        return ranks;
    }

    private static JobRank.Memory[] Ask(RankProcesses ranks)
    {
        ranks.Tell("memory");
        return [.. ranks.Hear().Select(JobRank.Memory.Parse)];
    }

    private static double Mega(long bytes) => bytes / 1e6;
}
