using System.Globalization;
using System.Net;
using System.Net.Sockets;
using static Cluster.Benchmarks.Statistics;

namespace Cluster.Benchmarks;

/// <summary>
/// All-reduce of 4 KB, 25 MB and 100 MB between 2 and 4 processes of this machine through shared memory and over TCP, beside
/// two measures taken in the same run, in turn: a plain two-way TCP stream of the bytes that an all-reduce of that size must
/// move, and Gloo through Debian's python3-torch where it is installed. A sample is the time of the slowest rank from a common
/// start; the table has medians. GB/s are bytes of the vector by time.
/// </summary>
/// <remarks>Options: <c>--processes 2,4</c>, <c>--bytes 4096,25000000</c>, <c>--turns 8</c>.</remarks>
internal static class AllReduceBenchmark
{
    private const string Python = "/usr/bin/python3";

    public static int Run(string[] args)
    {
        if (args is ["--rank", var rank, "--of", var count]) { return AllReduceRank.Run(Number(rank), Number(count)); }

        int[] processes = [2, 4], sizes = [4096, 25_000_000, 100_000_000];
        var turns = 8;
        for (var i = 0; i + 1 < args.Length; i += 2)
        {
            switch (args[i])
            {
                case "--processes": processes = [.. args[i + 1].Split(',').Select(Number)]; break;
                case "--bytes": sizes = [.. args[i + 1].Split(',').Select(Number)]; break;
                case "--turns": turns = Number(args[i + 1]); break;
                default: Console.Error.WriteLine($"unknown option {args[i]}: known are --processes, --bytes, --turns"); return 2;
            }
        }

        var hasGloo = HasGloo();
        Console.WriteLine($"{"processes",9} {"bytes",11} {"shared",12} {"GB/s",6} {"over Gloo",9}   {"TCP",12} {"GB/s",6} {"over Gloo",9} {"of stream",9}   {"stream",12} {"Gloo",12}");
        foreach (var n in processes)
        {
            using var ours = StartOurs(n);
            using var gloo = hasGloo ? StartGloo(n) : null;
            foreach (var bytes in sizes) { Measure(n, bytes, turns, ours, gloo); }
        }

        if (!hasGloo) { Console.WriteLine($"Gloo was not measured: {Python} has no torch"); }
        return 0;
    }

    private static void Measure(int n, int bytes, int turns, RankProcesses ours, RankProcesses? gloo)
    {
        // Short operations are timed in runs of `inner`, without a barrier between them.
        var (inner, samples) = bytes <= 1 << 20 ? (200, 3) : (1, 3);
        List<double> shared = [], sockets = [], stream = [], reference = [];
        for (var turn = 0; turn < turns; turn++)
        {
            shared.AddRange(ours.Time($"shared {bytes} {inner} {samples}"));
            sockets.AddRange(ours.Time($"sockets {bytes} {inner} {samples}"));
            stream.AddRange(ours.Time($"stream {bytes} {inner} {samples}"));
            reference.AddRange(gloo?.Time($"allreduce {bytes} {inner} {samples}") ?? []);
        }

        var (m, t, s, g) = (Median(shared), Median(sockets), Median(stream), Median(reference));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{n,9} {bytes,11} {m,9:F3} ms {bytes / m / 1e6,6:F2} {g / m,8:F2}x   {t,9:F3} ms {bytes / t / 1e6,6:F2} {g / t,8:F2}x {s / t,9:P0}   {s,9:F3} ms {g,9:F3} ms"));
    }

    private static RankProcesses StartOurs(int n)
    {
        var ranks = new RankProcesses(n, rank => RankProcesses.ThisProgram("allreduce", "--rank", $"{rank}", "--of", $"{n}"));
        ranks.Tell(string.Join(' ', ranks.Hear())); // Their ports.
        return ranks;
    }

    private static RankProcesses StartGloo(int n)
    {
        var port = FreePort();
        var script = Path.Combine(AppContext.BaseDirectory, "gloo_allreduce.py");
        return new RankProcesses(n, rank => (Python, [script, $"{rank}", $"{n}", $"{port}"]));
    }

    private static bool HasGloo()
    {
        if (!File.Exists(Python)) { return false; }
        using var probe = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(Python, ["-c", "import torch.distributed"]) { RedirectStandardError = true })!;
        probe.StandardError.ReadToEnd();
        probe.WaitForExit();
        return probe.ExitCode == 0;
    }

    private static int FreePort()
    {
        using var socket = new TcpListener(IPAddress.Loopback, 0);
        socket.Start();
        return ((IPEndPoint)socket.LocalEndpoint).Port;
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
