using System.Diagnostics;
using System.Globalization;
using static Cluster.Benchmarks.Statistics;

namespace Cluster.Benchmarks;

/// <summary>
/// From the submission of a job to its first committed round, on workers that are idle and have trained before: data are read and
/// the model is built in that time too.
/// </summary>
internal static class FirstRoundBenchmark
{
    private const int Workers = 2;

    private const string Spec = """
        name: digits
        method: lamb
        model: { kind: mlp, hidden: [256, 128] }
        data: { kind: digits }
        batch: 512
        leaf: 64
        rounds: 3
        schedule: { lr: 0.02 }
        evaluate: { samples: 64 }
        """;

    public static int Run(string[] args) => RunAsync(args is [var n, ..] ? int.Parse(n, CultureInfo.InvariantCulture) : 30).GetAwaiter().GetResult();

    private static async Task<int> RunAsync(int jobs)
    {
        await using var cluster = await TrainerProcesses.StartAsync(Workers);
        var took = new List<double>();
        for (var i = 0; i <= jobs; i++)
        {
            await cluster.UntilIdleAsync(Workers);
            var began = Stopwatch.GetTimestamp();
            var job = await cluster.SubmitAsync(string.Create(CultureInfo.InvariantCulture, $"digits-{i}"), Spec, Workers);
            await TrainerProcesses.UntilAsync(job, view => view.Round > 0, "the first round");
            if (i > 0) { took.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds); } // The first one warms up.
        }

        double[] sorted = [.. took];
        Console.WriteLine("| what | jobs | median ms | longest ms |");
        Console.WriteLine("|---|---:|---:|---:|");
        Console.WriteLine(FormattableString.Invariant($"| submit to first round, {Workers} warm workers | {jobs} | {Median(sorted):F0} | {sorted.Max():F0} |"));
        return 0;
    }
}
