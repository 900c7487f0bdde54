using System.Diagnostics;
using System.Net;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Collectives;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Rounds;
using Cluster.Trainer.Worker;

namespace Cluster.Benchmarks;

/// <summary>One job on one worker, through the production round loop; keeps the newest numbers.</summary>
internal sealed class SoleWorker : IRoundObserver
{
    private RoundCounters? _counters;
    private Tally _training;
    private Tally _evaluation;

    /// <param name="specFile">File name of a spec in the folder <c>specs</c>.</param>
    /// <param name="settings">Keys of the spec and their values, <c>key=value</c>.</param>
    public static Outcome Run(string specFile, string[] settings)
    {
        var last = new SoleWorker();
        var began = Stopwatch.GetTimestamp();
        Run(specFile, settings, last);
        return new Outcome(last._counters!.Round, last._counters.Skipped, last._training.MeanLoss, last._evaluation.MeanLoss, last._evaluation.Accuracy, Stopwatch.GetElapsedTime(began).TotalSeconds);
    }

    /// <summary>The spec with its settings, checked.</summary>
    public static JobSpec Read(string specFile, string[] settings)
    {
        var read = SpecReader.ReadFile(PathOf(specFile), settings);
        return read.Spec ?? throw new InvalidOperationException(string.Join('\n', read.Problems));
    }

    /// <summary>The same for who wants more than the newest numbers.</summary>
    /// <param name="data">A folder where data are looked for, besides where they always are.</param>
    public static void Run(string specFile, string[] settings, IRoundObserver observer, string? data = null)
    {
        var spec = Read(specFile, settings);
        var roots = DataRoots.Of(PathOf(specFile), data, Environment.GetEnvironmentVariable(DataRoots.Variable));
        using var method = TrainingMethods.Create(spec, roots, ComputeDevice.Prepare(spec));
        using var listener = new DataPlaneListener(IPAddress.Loopback);
        using var mesh = new Mesh(new MeshMembership("bench", 1, 0, [listener.EndPoint], [.. new byte[MeshMembership.SecretBytes]]), listener);
        mesh.Connect();
        using var loop = new RoundLoop(method, spec, observer);
        loop.Run(mesh, () => default);
    }

    private static string PathOf(string specFile) => Path.Combine(AppContext.BaseDirectory, "specs", specFile);

    void IRoundObserver.Began(RoundCounters counters) => _counters = counters;

    void IRoundObserver.LeavesComputed(int count)
    {
    }

    void IRoundObserver.Committed(RoundCounters counters, in Tally tally, RoundResult result, in RoundTimes times) => _training = tally;

    void IRoundObserver.Evaluated(RoundCounters counters, IReadOnlyList<Evaluation> evaluations, TimeSpan took) => _evaluation = evaluations[0].Tally;

    /// <param name="TrainLoss">Of the last round.</param>
    /// <param name="EvalLoss">Of the last evaluation.</param>
    /// <param name="Accuracy">Of the last evaluation, 0 to 1.</param>
    public readonly record struct Outcome(long Rounds, long Skipped, double TrainLoss, double EvalLoss, double Accuracy, double Seconds);
}
