using System.Diagnostics;
using System.Globalization;
using static Cluster.Benchmarks.Statistics;

namespace Cluster.Benchmarks;

/// <summary>
/// From kill -9 of a worker to the next committed round: LeNet on three workers, beside the same model under torchrun where
/// Debian's python3-torch is installed. Also from SIGSTOP, which no closed socket gives away.
/// </summary>
/// <remarks>
/// Both sides lose a random one of three processes again and again, and get another in its place. Ours is timed from outside
/// too, through the control plane: the moment in which a view of the job shows a round of the new generation.
/// </remarks>
internal static class RecoveryBenchmark
{
    private const int Workers = 3;

    /// <summary>With a process of torchrun's that is stopped.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(150);

    /// <summary>Reached only when something hangs.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    private const string Spec = """
        name: lenet
        method: lamb
        model: { kind: lenet }
        data: { kind: mnist }
        batch: 512
        leaf: 64
        rounds: 1000000
        schedule: { lr: 0.001 }
        checkpoint: { everyRounds: 50, keep: 2 }
        evaluate: { samples: 512 }
        """;

    public static int Run(string[] args)
    {
        var kills = args is [var k, ..] ? int.Parse(k, CultureInfo.InvariantCulture) : 50;
        var stops = args is [_, var s, ..] ? int.Parse(s, CultureInfo.InvariantCulture) : 5;
        var theirs = args is [_, _, var t, ..] ? int.Parse(t, CultureInfo.InvariantCulture) : 6;
        var store = Directory.CreateTempSubdirectory("cluster-recovery-").FullName;
        try
        {
            var ours = Ours(kills, stops).GetAwaiter().GetResult();
            Console.WriteLine("\n| what | times | median s | p99 s | longest s | rounds done again |");
            Console.WriteLine("|---|---:|---:|---:|---:|---|");
            Print("kill -9 of a worker", [.. ours.Kills], "the one under way");
            Print("SIGSTOP of a worker", [.. ours.Stops], "the one under way");
            if (theirs > 0 && Torchrun(store, theirs) is { } torchrun)
            {
                Print("torchrun, kill -9 of a worker", [.. torchrun.Select(r => r.Seconds)], $"{torchrun.Min(r => r.Again)} to {torchrun.Max(r => r.Again)}");
            }

            return 0;
        }
        finally
        {
            Directory.Delete(store, recursive: true);
        }
    }

    private static async Task<(List<double> Kills, List<double> Stops)> Ours(int kills, int stops)
    {
        await using var cluster = await TrainerProcesses.StartAsync(Workers);
        var job = await cluster.SubmitAsync("lenet", Spec, Workers);
        var random = new Random(1);
        var (killed, stopped) = (new List<double>(), new List<double>());
        for (var i = 0; i < kills + stops; i++)
        {
            var isKill = i < kills;
            var before = await TrainerProcesses.UntilAsync(job, view => view.Workers.Count(w => w.Rank >= 0) == Workers && view.Workers.All(w => w.Rank < 0 || w.Round > 0), "three workers");
            var mark = before.Round;
            before = await TrainerProcesses.UntilAsync(job, view => view.Round > mark + 5, "rounds");
            await Task.Delay(random.Next(500)); // The moment of the kill within rounds and heartbeats.

            var rank = random.Next(Workers);
            var victim = before.Workers.First(w => w.Rank == rank).Id;
            var began = Stopwatch.GetTimestamp();
            if (isKill) { cluster.Kill(victim); }
            else { cluster.Stop(victim); }
            var next = await TrainerProcesses.UntilAsync(job, view => view.Generation > before.Generation, "another generation");
            await TrainerProcesses.UntilAsync(job, view => view.Round > next.Round, "a round of it");
            var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
            (isKill ? killed : stopped).Add(seconds);
            Console.WriteLine(FormattableString.Invariant($"{(isKill ? "kill -9" : "SIGSTOP")} {i + 1}: {seconds:F3} s, generation {next.Generation}, round {next.Round}"));

            if (!isKill) { cluster.Kill(victim); }
            cluster.Add();
        }

        return (killed, stopped);
    }

    /// <summary>Null where this machine has no PyTorch.</summary>
    private static List<(double Seconds, long Again)>? Torchrun(string store, int kills)
    {
        const string python = "/usr/bin/python3";
        if (!File.Exists(python)) { return null; }
        var folder = Directory.CreateDirectory(Path.Combine(store, "torchrun")).FullName;
        var start = new ProcessStartInfo(python,
        [
            "-m", "torch.distributed.run", $"--nproc_per_node={Workers}", "--max_restarts=1000",
            "--redirects=1", "--tee=1", "--log_dir", Path.Combine(folder, "logs"), // The defaults fail in PyTorch 1.13 under Python 3.11.
            Path.Combine(AppContext.BaseDirectory, "torchrun_lenet.py"), folder,
        ]);
        start.Environment["OMP_NUM_THREADS"] = start.Environment["OPENBLAS_NUM_THREADS"] = "1";
        start.RedirectStandardError = true;
        using var run = Process.Start(start)!;
        run.ErrorDataReceived += (_, _) => { };
        run.BeginErrorReadLine();
        var random = new Random(1);
        var results = new List<(double, long)>();
        try
        {
            for (var i = 0; i < kills; i++)
            {
                var mark = WaitForStep(run, folder, step => step > 0, 0).Step;
                var before = WaitForStep(run, folder, step => step > mark + 60, 0);
                run.WaitForExit(TimeSpan.FromMilliseconds(random.Next(500)));
                before = Steps(folder)[^1];
                var pids = File.ReadAllLines(Path.Combine(folder, "pids"))[^Workers..];
                var victim = int.Parse(pids[random.Next(Workers)].Split(' ')[1], CultureInfo.InvariantCulture);
                var lines = Steps(folder).Count;
                var began = Stopwatch.GetTimestamp();
                TrainerProcesses.Signal(victim, TrainerProcesses.SIGKILL);
                var first = WaitForStep(run, folder, step => step <= before.Step, lines);
                WaitForStep(run, folder, step => step > before.Step, lines, after: first.Time);
                results.Add((Stopwatch.GetElapsedTime(began).TotalSeconds, before.Step - first.Step + 1));
                Console.WriteLine(FormattableString.Invariant($"torchrun {i + 1}: {results[^1].Item1:F3} s to a step it had not made before, {results[^1].Item2} steps made again"));
            }

            Console.WriteLine($"torchrun, SIGSTOP of a worker: {Stall(run, folder)}");
            return results;
        }
        catch (InvalidOperationException reason)
        {
            Console.WriteLine($"torchrun: {reason.Message}");
            return results is [] ? null : results;
        }
        finally
        {
            if (!run.HasExited) { run.Kill(entireProcessTree: true); }
        }
    }

    /// <summary>What becomes of a run of theirs that has a stopped process; waited for as long as <see cref="Patience"/>.</summary>
    private static string Stall(Process run, string folder)
    {
        var mark = WaitForStep(run, folder, step => step > 0, Steps(folder).Count - 1).Step;
        WaitForStep(run, folder, step => step > mark + 20, Steps(folder).Count - 1);
        var victim = int.Parse(File.ReadAllLines(Path.Combine(folder, "pids"))[^1].Split(' ')[1], CultureInfo.InvariantCulture);
        TrainerProcesses.Signal(victim, TrainerProcesses.SIGSTOP);
        run.WaitForExit(TimeSpan.FromSeconds(2)); // The step under way may still end.
        var (lines, began) = (Steps(folder).Count, Stopwatch.GetTimestamp());
        while (Stopwatch.GetElapsedTime(began) < Patience && Steps(folder).Count == lines && !run.WaitForExit(TimeSpan.FromMilliseconds(20))) { }
        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds + 2;
        TrainerProcesses.Signal(victim, TrainerProcesses.SIGKILL);
        return Steps(folder).Count == lines ? FormattableString.Invariant($"no step in {seconds:F0} s") : FormattableString.Invariant($"{seconds:F1} s to the next step");
    }

    private static (long Step, double Time) WaitForStep(Process run, string folder, Func<long, bool> condition, int skip, double after = 0)
    {
        var began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < Limit && !run.HasExited)
        {
            foreach (var step in Steps(folder).Skip(skip))
            {
                if (condition(step.Step) && step.Time > after) { return step; }
            }

            run.WaitForExit(TimeSpan.FromMilliseconds(5));
        }

        throw new InvalidOperationException("it ended, or made no step in time");
    }

    private static List<(long Step, double Time)> Steps(string folder)
    {
        var path = Path.Combine(folder, "steps");
        if (!File.Exists(path)) { return []; }
        var lines = File.ReadAllText(path).Split('\n');
        return [.. lines[..^1].Select(line => line.Split(' ')).Select(c => (long.Parse(c[0], CultureInfo.InvariantCulture), double.Parse(c[1], CultureInfo.InvariantCulture)))];
    }

    private static void Print(string what, double[] seconds, string again)
    {
        if (seconds.Length == 0) { return; }
        Console.WriteLine(FormattableString.Invariant($"| {what} | {seconds.Length} | {Median(seconds):F2} | {Quantile(seconds, 0.99):F2} | {seconds.Max():F2} | {again} |"));
    }
}
