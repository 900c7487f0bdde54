using System.Diagnostics;
using Cluster.Cli.Continual;
using Cluster.Cli.Up;
using Cluster.Client;
using Cluster.Contracts;
using Cluster.Contracts.Jobs;
using Cluster.Contracts.Spec;
using Cluster.Dashboard;
using Cluster.Grains.Hosting;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Methods.Continual;

namespace Cluster.Cli.Run;

/// <summary>
/// <c>cluster run</c>: a silo in this process, N trainer processes beside it, one job and its branches, and out again.
/// </summary>
/// <remarks>
/// <code>
///   check     the spec, the store and the data, before anything starts
///   start     silo, then trainers, then submit
///   watch     until the job has ended, and the releases that anneal apart; Ctrl-C asks them to stop at a checkpoint, a second one ends at once
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
        if (options.GatewayPort is < 0 or > ushort.MaxValue) { throw new BadInputException($"--port: found {options.GatewayPort}, allowed: 1 to {ushort.MaxValue}, or 0 to let the system choose"); }

        var roots = DataRoots.Of(options.SpecPath, options.Data, Environment.GetEnvironmentVariable(DataRoots.Variable));
        spec = TrunkStart.Record(DataRecord.Record(spec, roots), roots);
        DataCheck.Check(spec, roots);
        var (min, max) = BranchRuns.TrunkOf(spec, workers);
        JobFolder.MakeReady(options.Store);
        var resumed = options.Resume ? JobFolder.Newest(options.Store, spec) : null;
        using var json = JsonReport.Open(options.Json);

        var began = Stopwatch.GetTimestamp();
        await using var silo = await ClusterSilo.StartAsync(
            new SiloSettings { GatewayPort = new PortChoice(options.GatewayPort, "--port") }, CancellationToken.None);

        // Only now, so that a start that fails leaves no empty job behind, which --resume would take for the newest.
        var folder = resumed ?? JobFolder.Create(options.Store, spec);
        var screen = RunScreen.Create(spec, folder.Id, max, quiet: options.Json == "-");
        await using var fleet = WorkerFleet.Start(workers, silo.Gateway, folder.Logs, screen.Say);

        var jobs = new ControlPlane(silo.Grains);
        var submission = new JobSubmission(SpecText.Write(spec), SpecHash.Of(spec), folder.Path, [.. roots], min, max, options.Resume);
        if (await jobs.SubmitAsync(folder.Id, submission, CancellationToken.None) is { } refusal) { throw new BadInputException(refusal); }
        var branches = new BranchRuns(jobs, folder.Id);
        using var interrupts = new Interrupts(() =>
        {
            screen.Say("Stopping at a checkpoint; Ctrl-C once more ends it at once.");
            branches.Stop("interrupted");
        });
        _ = fleet.Failing.ContinueWith(failing => branches.Fail(failing.Result), TaskScheduler.Default);

        var last = await screen.FollowAsync(jobs.WatchAsync(folder.Id, 0, CancellationToken.None));
        var releases = await branches.FollowAsync(last, (branch, id) => RunScreen.Create(branch, id, branch.Workers.Min, quiet: options.Json == "-"));
        var report = RunReport.Of(last, folder.Id, SpecSummary.MethodOf(spec), Stopwatch.GetElapsedTime(began)) with { Branches = releases };
        screen.Finish(report, ResumeCommand());
        json?.Write(report);
        if (spec.Continual is { } continual) { ContinualSummary.Show(continual, folder.Path, roots, screen); }
        JobState[] ends = [last.State, .. releases.Select(release => release.State)];
        return ends.All(end => end is JobState.Succeeded) ? ExitCodes.Succeeded
            : ends.All(end => end is JobState.Succeeded or JobState.Cancelled) ? ExitCodes.Interrupted
            : ExitCodes.Failed;
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
