using System.Diagnostics;
using System.Globalization;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Models;
using Cluster.Trainer.Core.Native;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Methods.Lamb;
using TorchSharp;
using static Cluster.Benchmarks.Statistics;
using static TorchSharp.torch;

namespace Cluster.Benchmarks;

/// <summary>
/// GPT-2 of 124 million parameters with LAMB on one GPU: tokens a second and memory, beside the same in PyTorch on the same GPU; and the
/// LAMB step by itself, beside the device's copy. What is timed is what the round loop does on one worker: a leaf (forward, backward,
/// gradient in the flat buffer, loss and accuracy) and the update, until the device has finished.
/// </summary>
/// <remarks>
/// The two sides run one after the other, so that each has the device's memory to itself. Options: <c>--device cuda|cpu</c>, <c>--layers 12</c>,
/// <c>--width 768</c>, <c>--heads 12</c>, <c>--context 1024</c>, <c>--vocabulary 50257</c>, <c>--batch 8</c>, <c>--steps 20</c>, <c>--python /usr/bin/python3</c>.
/// Memory is the device's, by its driver (<see cref="Nvml"/>): what is in use more than before, after the steps.
/// </remarks>
internal static class GpuBenchmark
{
    public static int Run(string[] args)
    {
        var sizes = new ModelSpec.Gpt { Layers = Number("--layers", 12), Width = Number("--width", 768), Heads = Number("--heads", 12), Context = Number("--context", 1024) };
        var (vocabulary, batch, steps) = (Number("--vocabulary", 50_257), Number("--batch", 8), Number("--steps", 20));
        var isCuda = Option("--device", "cuda") == "cuda";
        if (isCuda && !cuda_is_available())
        {
            Console.Error.WriteLine("libtorch finds no CUDA device: build with -p:Torch=cuda on a machine with an NVIDIA GPU, or say --device cpu");
            return 3;
        }

        if (isCuda) { DeterministicKernels.SwitchOn(); }
        var device = isCuda ? CUDA : CPU;
        var gpu = isCuda ? Nvml.Open(VisibleGpu.Of(Environment.GetEnvironmentVariable("CUDA_VISIBLE_DEVICES"))) : null;
        Console.WriteLine($"gpt: {sizes.Layers} layers, width {sizes.Width}, {sizes.Heads} heads, context {sizes.Context}, vocabulary {vocabulary}; batch {batch}; float32; device {device}; {steps} steps, medians");
        Console.WriteLine($"{"",-12} {"ms/step",10} {"tokens/s",12} {"memory MiB",12}");
        Report("ours", Ours(sizes, vocabulary, batch, steps, device, gpu), (long)batch * sizes.Context);
        if (Theirs(sizes, vocabulary, batch, steps, isCuda, Option("--python", "/usr/bin/python3"), gpu) is { } theirs) { Report("PyTorch", theirs, (long)batch * sizes.Context); }
        return 0;

        string Option(string name, string otherwise) => args.SkipWhile(a => a != name).Skip(1).FirstOrDefault() ?? otherwise;
        int Number(string name, int otherwise) => int.Parse(Option(name, otherwise.ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture);
    }

    private static void Report(string side, (List<double> Milliseconds, long? Bytes) measured, long tokens)
    {
        var memory = measured.Bytes is { } bytes ? (bytes >> 20).ToString(CultureInfo.InvariantCulture) : "-";
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{side,-12} {Median(measured.Milliseconds),10:F2} {1000 * tokens / Median(measured.Milliseconds),12:F0} {memory,12}"));
    }

    private static (List<double>, long?) Ours(ModelSpec.Gpt sizes, int vocabulary, int batch, int steps, Device device, Nvml? gpu)
    {
        var before = gpu?.Read()?.UsedBytes;
        using var model = new FlatModel(ModelCatalog.Create(sizes, [sizes.Context], vocabulary, seed: 1, device), Precision.Float32, device);
        using var gradient = new FlatBuffer(model.Layout.Length, device);
        using var lamb = new LambOptimizer(new OptimizerSpec(), model.Layout, device, threads: 1);
        using var leaf = new Batch(randint(0, vocabulary, [batch, sizes.Context], dtype: ScalarType.Int64, device: device), randint(0, vocabulary, [batch, sizes.Context], dtype: ScalarType.Int64, device: device), batch);
        var t = 0L;
        var step = Timed(steps, device, () =>
        {
            model.TrainLeaf(leaf, 1, gradient);
            lamb.Step(model.Theta, gradient, 1.0 / (batch * sizes.Context), 1e-3, ++t);
        });
        var used = gpu?.Read()?.UsedBytes - before;

        var update = Median(Timed(steps, device, () => lamb.Step(model.Theta, gradient, 1, 1e-6, ++t)));
        var copy = Median(Timed(steps, device, () => gradient.CopyFrom(model.Theta)));
        var (written, moved) = (model.Layout.ParameterLength * 28.0 / update / 1e6, model.Layout.Length * 8.0 / copy / 1e6);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{model.Layout.ParameterCount / 1e6:F1} M parameters; LAMB step {update:F3} ms, {written:F0} GB/s at 28 bytes a parameter; copy {copy:F3} ms, {moved:F0} GB/s at 8; LAMB/copy {written / moved:P0}"));
        return (step, used);
    }

    private static (List<double>, long?)? Theirs(ModelSpec.Gpt sizes, int vocabulary, int batch, int steps, bool isCuda, string interpreter, Nvml? gpu)
    {
        using var python = PythonPeer.Start(interpreter, "models.py", threads: 1);
        if (python is null)
        {
            Console.WriteLine($"no torch under {interpreter} to compare with (--python names another)");
            return null;
        }

        if (isCuda && !python.Ask(new { @do = "describe" }).GetProperty("cuda").GetBoolean())
        {
            Console.WriteLine($"the torch under {interpreter} finds no CUDA device: nothing to compare with");
            return null;
        }

        var before = gpu?.Read()?.UsedBytes;
        python.Ask(new { @do = "lamb", layers = sizes.Layers, width = sizes.Width, heads = sizes.Heads, context = sizes.Context, vocabulary, batch, device = isCuda ? "cuda" : "cpu" });
        var wall = python.Ask(new { @do = "lamb-steps", count = steps + 3 }).GetProperty("wall").EnumerateArray().Select(ms => ms.GetDouble()).Skip(3).ToList();
        return (wall, gpu?.Read()?.UsedBytes - before);
    }

    /// <summary>Milliseconds of each, after three to warm up.</summary>
    private static List<double> Timed(int count, Device device, Action work)
    {
        var times = new List<double>();
        for (var i = -3; i < count; i++)
        {
            var began = Stopwatch.GetTimestamp();
            work();
            if (device.type == DeviceType.CUDA) { cuda.synchronize(); }
            if (i >= 0) { times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds); }
        }

        return times;
    }
}
