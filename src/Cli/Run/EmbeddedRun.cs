using System.Diagnostics;
using Cluster.Client;
using Cluster.Contracts;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Spec;
using Cluster.Grains.Hosting;
using Cluster.Trainer.Core.Data;

namespace Cluster.Cli.Run;

/// <summary>
/// <c>cluster run</c>: a silo in this process, N trainer processes beside it, one job, and out again.
/// </summary>
/// <remarks>
/// <code>
///   check     the spec, the store and the data, before anything starts
///   start     silo, then trainers, then submit
///   watch     until the job has ended; Ctrl-C asks it to stop at a checkpoint, a second one ends at once
///   report    on the screen, and as JSON where asked
/// </code>
/// </remarks>
internal sealed class EmbeddedRun(RunOptions options)
{
    public async Task<int> RunAsync()
    {
        var spec = SpecFile.Read(options.SpecPath, options.Overrides);
        var workers = options.Workers ?? spec.Workers.Min;
        if (workers is < 1 or > 1024) { throw new BadInputException($"--workers: found {workers}, allowed: 1 to 1024"); }

        var roots = DataRoots.Of(options.SpecPath, options.Data, Environment.GetEnvironmentVariable(DataRoots.Variable));
        DataCheck.Check(spec, roots);
        using var json = JsonReport.Open(options.Json);
        var folder = options.Resume ? JobFolder.Newest(options.Store, spec) : JobFolder.Create(options.Store, spec);

        var began = Stopwatch.GetTimestamp();
        var screen = RunScreen.Create(spec, folder.Id, workers, quiet: options.Json == "-");
        await using var silo = await ClusterSilo.StartAsync(
            new SiloSettings { GatewayPort = new PortChoice(options.GatewayPort, "--port") }, CancellationToken.None);
        using var processes = WorkerProcesses.Start(workers, silo.Gateway, folder.Logs);

        var jobs = new JobClient(silo.Grains);
        var submission = new JobSubmission(SpecText.Write(spec), SpecHash.Of(spec), folder.Path, [.. roots], workers, options.Resume);
        await jobs.SubmitAsync(folder.Id, submission, CancellationToken.None);
        using var interrupts = new Interrupts(() =>
        {
            screen.Say("Stopping at a checkpoint; Ctrl-C once more ends it at once.");
            _ = jobs.StopAsync(folder.Id, "interrupted", CancellationToken.None);
        });
        _ = processes.Lost.ContinueWith(lost => jobs.FailAsync(folder.Id, lost.Result, CancellationToken.None), TaskScheduler.Default);

        var last = await screen.FollowAsync(jobs.WatchAsync(folder.Id, CancellationToken.None));
        var report = RunReport.Of(last, folder.Id, spec.Method.ToString().ToLowerInvariant(), Stopwatch.GetElapsedTime(began));
        json?.Write(report);
        screen.Finish(report, ResumeCommand());
        return last.State switch
        {
            JobState.Succeeded => ExitCodes.Succeeded,
            JobState.Cancelled => ExitCodes.Interrupted,
            _ => ExitCodes.Failed,
        };
    }

    private string ResumeCommand()
    {
        string[] words =
        [
            "cluster", "run", options.SpecPath, "--resume",
            .. options.Store == ".cluster" ? Array.Empty<string>() : ["--store", options.Store],
            .. options.Data is null ? Array.Empty<string>() : ["--data", options.Data],
            .. options.Overrides.SelectMany(text => new[] { "--set", text }),
        ];
        return string.Join(' ', words.Select(word => word.Contains(' ') ? $"'{word}'" : word));
    }
}
