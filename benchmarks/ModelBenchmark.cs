using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Models;
using Cluster.Trainer.Core.State;
using TorchSharp;
using static TorchSharp.torch;
using static Cluster.Benchmarks.Statistics;

namespace Cluster.Benchmarks;

/// <summary>
/// Time of one leaf (forward, backward, gradient in the flat buffer, loss and accuracy) beside forward and backward of the same
/// model in PyTorch, with the same weights and batch. No optimiser on either side.
/// </summary>
/// <remarks>
/// Both processes live through the whole run and take turns, a block of steps each, so that what the machine does meanwhile
/// falls on both. PyTorch drops its gradients before each step (set_to_none), its fastest way. Before timing, loss and
/// gradient norm of both sides are compared: a ratio of two different computations would mean nothing.
/// </remarks>
internal static class ModelBenchmark
{
    private sealed record Case(string Name, ModelSpec Spec, long[] InputShape, int Classes, int Batch);

    private static readonly Case[] Cases =
    [
        new("gpt", new ModelSpec.Gpt { Layers = 4, Width = 128, Heads = 4, Context = 128 }, [128], 256, 16),
        new("mlp", new ModelSpec.Mlp { Hidden = [512, 512] }, [784], 10, 256),
        new("resnet-20", new ModelSpec.ResNet { BlocksPerGroup = 3 }, [3, 32, 32], 10, 32),
    ];

    /// <summary>Milliseconds of each step: on the wall, and of all threads' processor time.</summary>
    private sealed record Times(List<double> Wall, List<double> Cpu);

    public static int Run(string[] args)
    {
        var threads = Option("--threads", "1,2").Split(',').Select(int.Parse).ToArray();
        var rounds = int.Parse(Option("--rounds", "7"), CultureInfo.InvariantCulture);
        var seconds = double.Parse(Option("--seconds", "1.0"), CultureInfo.InvariantCulture);
        var chosen = Option("--models", "gpt,mlp,resnet-20").Split(',');

        var interpreter = Option("--python", "/usr/bin/python3");

        Console.WriteLine("One leaf, forward and backward, no optimiser. Medians in ms; ratio under 1: this project is faster.");
        foreach (var count in threads)
        {
            set_num_threads(count);
            using var python = PythonPeer.Start(interpreter, "models.py", count);
            Console.WriteLine(python is null ? $"no torch under {interpreter} to compare with (--python names another)" : $"PyTorch {python.Ask(new { @do = "describe" })}");
            Console.WriteLine($"{"model",-10} {"threads",7} {"ours",9} {"PyTorch",9} {"ratio",6} {"ours cpu",9} {"PyT cpu",9} {"ratio",6} {"loss differs",13} {"|g| differs",12}");
            foreach (var item in Cases.Where(item => chosen.Contains(item.Name))) { Measure(item, count, rounds, seconds, python); }
        }

        return 0;

        string Option(string name, string otherwise) => args.SkipWhile(a => a != name).Skip(1).FirstOrDefault() ?? otherwise;
    }

    private static void Measure(Case item, int threads, int rounds, double seconds, PythonPeer? python)
    {
        using var model = new FlatModel(ModelCatalog.Create(item.Spec, item.InputShape, item.Classes, seed: 1, CPU), Precision.Float32, CPU);
        using var gradient = new FlatBuffer(model.Layout.Length);
        using var batch = RandomBatch(item);

        var score = model.TrainLeaf(batch, 1, gradient);
        var check = python is null ? "" : CompareWith(python, item, model, batch, threads, score.Loss, Norm(gradient, model.Layout));

        var ours = new Times([], []);
        var theirs = new Times([], []);
        var warm = Steps(2).Wall[^1];
        var block = Math.Max(3, (int)(seconds * 1000 / warm));
        for (var round = 0; round <= rounds; round++)
        {
            var mine = Steps(block);
            var other = python?.Ask(new { @do = "step", count = block });
            if (round == 0) { continue; } // Both sides warm up: allocator, caches, clocks.
            ours.Wall.AddRange(mine.Wall);
            ours.Cpu.AddRange(mine.Cpu);
            theirs.Wall.AddRange(other?.GetProperty("wall").EnumerateArray().Select(ms => ms.GetDouble()) ?? []);
            theirs.Cpu.AddRange(other?.GetProperty("cpu").EnumerateArray().Select(ms => ms.GetDouble()) ?? []);
        }

        Console.WriteLine(FormattableString.Invariant(
            $"{item.Name,-10} {threads,7} {Pair(ours.Wall, theirs.Wall)} {Pair(ours.Cpu, theirs.Cpu)} {check}"));

        Times Steps(int count)
        {
            var times = new Times([], []);
            for (var i = 0; i < count; i++)
            {
                var (wall, cpu) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
                model.TrainLeaf(batch, 1, gradient);
                times.Wall.Add(Stopwatch.GetElapsedTime(wall).TotalMilliseconds);
                times.Cpu.Add((Environment.CpuUsage.TotalTime - cpu).TotalMilliseconds);
            }

            return times;
        }
    }

    private static string Pair(List<double> ours, List<double> theirs) => theirs.Count == 0
        ? FormattableString.Invariant($"{Median(ours),9:F2} {"-",9} {"-",6}")
        : FormattableString.Invariant($"{Median(ours),9:F2} {Median(theirs),9:F2} {Median(ours) / Median(theirs),6:F3}");

    private static Batch RandomBatch(Case item)
    {
        using var generator = manual_seed(2);
        long[] shape = [item.Batch, .. item.InputShape];
        return item.Spec is ModelSpec.Gpt
            ? new(randint(0, item.Classes, shape, dtype: ScalarType.Int64), randint(0, item.Classes, shape, dtype: ScalarType.Int64), item.Batch)
            : new(randn(shape), randint(0, item.Classes, [item.Batch], dtype: ScalarType.Int64), item.Batch);
    }

    /// <summary>Hands weights and batch over and returns how far loss and gradient norm of PyTorch are from ours, relatively.</summary>
    private static string CompareWith(PythonPeer python, Case item, FlatModel model, Batch batch, int threads, double loss, double norm)
    {
        var folder = Directory.CreateTempSubdirectory("cluster-models-").FullName;
        var lines = new List<string>();
        foreach (var segment in model.Layout.Segments)
        {
            Write(segment.Name, ScalarType.Float32, segment.Shape, MemoryMarshal.AsBytes(model.Theta.Slice(segment.Offset, segment.Length)));
        }

        Write("inputs", batch.Inputs.dtype, batch.Inputs.shape, batch.Inputs.bytes);
        Write("targets", batch.Targets.dtype, batch.Targets.shape, batch.Targets.bytes);
        File.WriteAllLines(Path.Combine(folder, "tensors.txt"), lines);

        var answer = python.Ask(new { @do = "load", model = item.Name, folder, threads });
        Directory.Delete(folder, recursive: true);
        return FormattableString.Invariant($"{Relative(answer.GetProperty("loss").GetDouble(), loss),13:E1} {Relative(answer.GetProperty("norm").GetDouble(), norm),12:E1}");

        static double Relative(double a, double b) => Math.Abs(a / b - 1);

        void Write(string name, ScalarType type, IEnumerable<long> shape, ReadOnlySpan<byte> bytes)
        {
            lines.Add($"{name} {type} {string.Join(',', shape)}");
            File.WriteAllBytes(Path.Combine(folder, name), bytes);
        }
    }

    private static double Norm(FlatBuffer gradient, Layout layout)
    {
        using var parameters = gradient.Tensor.narrow(0, 0, layout.ParameterLength);
        using var norm = parameters.to(ScalarType.Float64).norm();
        return norm.item<double>();
    }
}
