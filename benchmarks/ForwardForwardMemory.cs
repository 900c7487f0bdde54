using System.Globalization;

namespace Cluster.Benchmarks;

/// <summary>
/// Peak memory by depth, forward-forward beside back-propagation: a dense net on digits, all of them in one leaf so that activities
/// outweigh weights, and graph convolutions on Cora. One process each, Linux only; both sets ship.
/// </summary>
internal static class ForwardForwardMemory
{
    private const int Updates = 6; // Of a layer: enough to reach the peak.

    private static readonly int[] s_depths = [1, 2, 4, 8];

    private static readonly (string Name, string Spec, Func<int, string[]> Settings, Func<int, int> Rounds)[] s_jobs =
    [
        ("dense, forward-forward", "forward-forward-memory.yaml", Dense, _ => Updates),
        ("dense, back-propagation", "mlp-memory.yaml", Dense, _ => Updates),
        ("gcn, sf", "forward-forward-graph.yaml", layers => Graph(layers, ForwardForwardCell.Sf), layers => layers * Updates - 1), // One less than it has.
        ("gcn, back-propagation", "forward-forward-graph.yaml", layers => Graph(layers, ForwardForwardCell.BackPropagation), _ => Updates - 1),
    ];

    public static void Run()
    {
        Console.WriteLine("Peak in MB beyond what was there before the job, and of it what is not in flat buffers (weights, moments, gradients)\n");
        Console.WriteLine($"| layers | {string.Join(" | ", s_jobs.Select(job => job.Name))} |\n|---:|{string.Concat(s_jobs.Select(_ => "---:|"))}");
        foreach (var layers in s_depths)
        {
            var columns = s_jobs.Select(job => Measure(job.Spec, job.Settings(layers), job.Rounds(layers))).Select(m => string.Create(
                CultureInfo.InvariantCulture, $"{Mega(m.Peak - m.Base):F0}, {Mega(m.Peak - m.Base - m.Flat):F0}"));
            Console.WriteLine($"| {layers} | {string.Join(" | ", columns)} |");
        }
    }

    private static JobRank.Memory Measure(string spec, string[] settings, int rounds)
    {
        using var ranks = new RankProcesses(1, _ => JobRank.Command(0, 1, spec, settings));
        ranks.Introduce(alone: false);
        _ = ranks.Time($"rounds {rounds}").Count();
        ranks.Tell("memory");
        return JobRank.Memory.Parse(ranks.Hear()[0]);
    }

    private static string[] Dense(int layers) => [$"model.hidden=[{string.Join(", ", Enumerable.Repeat(256, layers))}]"];

    private static string[] Graph(int layers, string algorithm) =>
        [$"model.layers={layers}", "model.width=512", $"forwardForward.algorithm={algorithm}", $"epochs={Updates}", "forwardForward.validateEvery=1"];

    private static double Mega(long bytes) => bytes / 1e6;
}
