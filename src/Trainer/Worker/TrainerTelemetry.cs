using System.Diagnostics;
using System.Diagnostics.Metrics;
using Cluster.Trainer.Core.Native;

namespace Cluster.Trainer.Worker;

/// <summary>The instruments and spans of a worker. <c>docs/telemetry.md</c> is their table, and a test holds the two together.</summary>
internal static class TrainerTelemetry
{
    public const string Name = "Cluster.Trainer";

    public const string SessionSpan = "job.session", GenerationSpan = "job.generation", RoundSpan = "job.round", EvaluationSpan = "job.evaluation";

    public const string Compute = "compute", Wait = "wait", Reduce = "reduce", Update = "update";

    public const string PhaseSpanPrefix = "round.";

    public static readonly ActivitySource Source = new(Name);

    private static readonly Meter s_meter = new(Name);

    /// <summary>From a hundred microseconds to a quarter of an hour.</summary>
    private static readonly InstrumentAdvice<double> s_seconds = new()
    {
        HistogramBucketBoundaries = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 900],
    };

    public static readonly Histogram<double> RoundTime = s_meter.CreateHistogram("cluster.round.time", "s", "Time of a round on this worker, by phase", tags: null, s_seconds);

    public static readonly Histogram<double> EvaluationTime = s_meter.CreateHistogram("cluster.evaluation.time", "s", "Time of an evaluation on this worker", tags: null, s_seconds);

    public static readonly Counter<long> Rounds = s_meter.CreateCounter<long>("cluster.rounds", "{round}", "Rounds committed with this worker");

    public static readonly Counter<double> Samples = s_meter.CreateCounter<double>("cluster.samples", "{sample}", "Training samples of the rounds committed with this worker, by all its ranks");

    public static readonly Counter<long> Leaves = s_meter.CreateCounter<long>("cluster.leaves", "{leaf}", "Leaves that this worker computed");

    public static readonly Counter<long> Network = s_meter.CreateCounter<long>("cluster.network.io", "By", "Bytes to and from the job's other workers over connections");

    public static readonly Counter<long> Faults = s_meter.CreateCounter<long>("cluster.faults", "{fault}", "Generations that this worker lost");

    public static readonly ObservableGauge<double> GpuUtilization = s_meter.CreateObservableGauge(
        "cluster.gpu.utilization", () => ReadGpu(gpu => gpu.Utilization).Where(m => double.IsFinite(m.Value)), "1", "How much of the last moment kernels ran on this worker's GPU");

    public static readonly ObservableGauge<long> GpuMemoryUsage = s_meter.CreateObservableGauge(
        "cluster.gpu.memory.usage", () => ReadGpu(gpu => gpu.UsedBytes), "By", "Memory in use on this worker's GPU, by all processes");

    public static readonly ObservableGauge<long> GpuMemoryLimit = s_meter.CreateObservableGauge(
        "cluster.gpu.memory.limit", () => ReadGpu(gpu => gpu.TotalBytes), "By", "Memory that this worker's GPU has");

    /// <summary>Opened when somebody first reads it: most processes have no GPU, and many nobody who reads.</summary>
    private static readonly Lazy<Nvml?> s_gpu = new(() => Nvml.Open(VisibleGpu.Of(Environment.GetEnvironmentVariable("CUDA_VISIBLE_DEVICES"))));

    /// <summary>Nothing where there is no GPU, or no library of its driver.</summary>
    private static IEnumerable<Measurement<T>> ReadGpu<T>(Func<GpuReading, T> part) where T : struct =>
        s_gpu.Value?.Read() is { } reading ? [new Measurement<T>(part(reading))] : [];
}
