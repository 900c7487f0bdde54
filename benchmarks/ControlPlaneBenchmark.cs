using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using Cluster.Contracts.Jobs;
using static Cluster.Benchmarks.Statistics;

namespace Cluster.Benchmarks;

/// <summary>
/// The control plane under many workers: grain calls only, no training. A silo in a process of its own with its store on disk,
/// and simulated workers that heartbeat once a second, hear bells, and play the life of a job.
/// </summary>
/// <remarks>
/// Prints the silo's processor time at that load as a share of one core, and how long it takes from a submission until the last
/// of the job's workers has its assignment.
/// </remarks>
internal static class ControlPlaneBenchmark
{
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(1);

    public static int Run(string[] args) => RunAsync(
        workers: args is [var w, ..] ? int.Parse(w, CultureInfo.InvariantCulture) : 10_000,
        jobs: args is [_, var j, ..] ? int.Parse(j, CultureInfo.InvariantCulture) : 1_000).GetAwaiter().GetResult();

    private static async Task<int> RunAsync(int workers, int jobs)
    {
        await using var silo = await SiloProcess.StartAsync();
        using var stop = new CancellationTokenSource();
        var simulated = Enumerable.Range(0, workers).Select(i => new SimulatedWorker(i, silo.Grains)).ToArray();
        var lives = simulated.Select((worker, i) => worker.LiveAsync(Beat * i / workers, stop.Token)).ToArray();
        while (simulated.Any(worker => worker.Beats < 2)) { await Task.Delay(100); }

        var (beatsBefore, began) = (simulated.Sum(worker => worker.Beats), Stopwatch.GetTimestamp());
        var idleShare = await SiloProcess.ShareOfCoreAsync(silo.Process, TimeSpan.FromSeconds(20));
        var rate = (simulated.Sum(worker => worker.Beats) - beatsBefore) / Stopwatch.GetElapsedTime(began).TotalSeconds;
        var took = new List<double>();
        for (var i = 0; i < jobs; i++) { took.Add(await SubmitAsync(silo.Grains, simulated, i)); }
        await stop.CancelAsync();
        await Task.WhenAll(lives);

        var beats = simulated.Select(worker => worker.Slowest).ToArray();
        Console.WriteLine("| what | value |");
        Console.WriteLine("|---|---:|");
        PrintRow("simulated workers", $"{workers}");
        PrintRow("heartbeats a second", $"{rate:F0}");
        PrintRow("silo's processor time, share of one core", $"{idleShare:P0}");
        PrintRow("submit to last assignment, four workers, median ms", $"{Median(took):F1}");
        PrintRow("the same, p99 ms", $"{Quantile(took, 0.99):F1}");
        PrintRow("slowest heartbeat of a worker, median ms", $"{Median(beats):F1}");
        PrintRow("memory of the silo, MiB", $"{silo.Process.WorkingSet64 / 1024.0 / 1024:F0}");
        return 0;
    }

    /// <summary>Milliseconds until the last of four workers holds its assignment.</summary>
    private static async Task<double> SubmitAsync(IGrainFactory grains, SimulatedWorker[] workers, int number)
    {
        const int wanted = 4;
        var id = string.Create(CultureInfo.InvariantCulture, $"job-{number}");
        var began = Stopwatch.GetTimestamp();
        var assigned = SimulatedWorker.Watch(id, wanted);
        await SiloProcess.SubmitAsync(grains, id, wanted);
        var last = await assigned.WaitAsync(TimeSpan.FromSeconds(60));
        while (!(await grains.GetGrain<IJobGrain>(id).Summary()).State.IsFinal) { await Task.Delay(10); }
        return Stopwatch.GetElapsedTime(began, last).TotalMilliseconds;
    }

    /// <summary>Does what a worker's agent does, and succeeds at once at whatever it is given.</summary>
    private sealed class SimulatedWorker(int number, IGrainFactory grains) : IWorkerBell
    {
        private static readonly Lock Gate = new();
        private static (string Job, int Missing, TaskCompletionSource<long> Done) _watched = ("", 0, new());

        private readonly WorkerInfo _self = new(string.Create(CultureInfo.InvariantCulture, $"w{number}"), 1, "127.0.0.1", 1 + number % 60_000, 1, 0, 1 << 30);
        private TaskCompletionSource _rung = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private JobReport? _report;

        public long Beats { get; private set; }

        /// <summary>Milliseconds of the slowest heartbeat after the first.</summary>
        public double Slowest { get; private set; }

        /// <summary>The time stamp at which the last of so many workers has an assignment of this job.</summary>
        public static Task<long> Watch(string job, int workers)
        {
            lock (Gate)
            {
                _watched = (job, workers, new(TaskCreationOptions.RunContinuationsAsynchronously));
                return _watched.Done.Task;
            }
        }

        public Task Ring()
        {
            Volatile.Read(ref _rung).TrySetResult();
            return Task.CompletedTask;
        }

        public async Task LiveAsync(TimeSpan first, CancellationToken stop)
        {
            var bell = grains.CreateObjectReference<IWorkerBell>(this);
            var grain = grains.GetGrain<IWorkerGrain>(_self.Id);
            await Task.Delay(first, CancellationToken.None);
            while (!stop.IsCancellationRequested)
            {
                var began = Stopwatch.GetTimestamp();
                var before = _report;
                Play(await grain.Heartbeat(_self, _report, bell));
                if (Beats++ > 0) { Slowest = Math.Max(Slowest, Stopwatch.GetElapsedTime(began).TotalMilliseconds); }
                if (_report is not null && _report != before) { continue; } // Ready, or done: told at once.
                await Task.WhenAny(Volatile.Read(ref _rung).Task, Task.Delay(Beat, CancellationToken.None));
                if (_rung.Task.IsCompleted) { Volatile.Write(ref _rung, new(TaskCreationOptions.RunContinuationsAsynchronously)); }
            }
        }

        private void Play(Directive directive)
        {
            switch (directive)
            {
                case Directive.Idle:
                    _report = null;
                    break;

                case Directive.Prepare prepare:
                    _report = new JobReport(prepare.JobId, 0, 0, IsReady: true, 0, 1, 0, [], null, [], null, null);
                    break;

                case Directive.Train { Assignment: var assignment } when _report?.Known != assignment.Generation:
                    var outcome = new Outcome(JobState.Succeeded, null, new string('0', 64), ImmutableDictionary<string, string>.Empty);
                    _report = new JobReport(assignment.JobId, assignment.Generation, assignment.Generation, IsReady: true, 1, 1, 1, [], null, [], null, outcome);
                    lock (Gate)
                    {
                        if (_watched.Job == assignment.JobId && --_watched.Missing == 0) { _watched.Done.SetResult(Stopwatch.GetTimestamp()); }
                    }

                    break;
            }
        }
    }
}
