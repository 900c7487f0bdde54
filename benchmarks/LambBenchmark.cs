using System.Collections.Immutable;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Optimizers;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Methods.Lamb;
using TorchSharp;
using static TorchSharp.torch;
using static Cluster.Benchmarks.Statistics;

namespace Cluster.Benchmarks;

/// <summary>
/// The LAMB step beside what the machine's memory allows, in one run: all columns are measured in turn, round after round, and
/// medians are reported. The stream reads four buffers and writes three in place, as a LAMB step must at least; both are counted
/// as 28 bytes a parameter.
/// </summary>
internal static unsafe class LambBenchmark
{
    /// <summary>Widths of a transformer with 8 blocks, 100 tensors: about 1, 25 and 100 million parameters.</summary>
    private static readonly int[] Widths = [96, 512, 1024];

    public static int Run(string[] args)
    {
        var rounds = 15;
        if (args.Length > 1 || (args.Length == 1 && !(int.TryParse(args[0], out rounds) && rounds > 0)))
        {
            Console.Error.WriteLine("usage: Cluster.Benchmarks lamb [rounds, at least 1; default 15]");
            return 2;
        }

        RuntimeHelpers.RunModuleConstructor(typeof(Seeds).Module.ModuleHandle);
        Console.WriteLine($"{rounds} rounds, medians; 512-bit vectors: {Vector512.IsHardwareAccelerated}; cores: {Environment.ProcessorCount}");
        Console.WriteLine("GB/s at 28 bytes a parameter (copy: 8 bytes)");
        Console.WriteLine("params M  tensors  threads    LAMB  stream 4R3W  LAMB/stream    copy  naive torch  LAMB/naive");
        foreach (var width in Widths)
        {
            foreach (var threads in new[] { 1, 2 }) { Measure(Transformer(width), threads, rounds); }
        }

        return 0;
    }

    private static Layout Transformer(int d)
    {
        var tensors = new List<(string, ImmutableArray<long>, SegmentRole)>();
        void Add(string name, params ImmutableArray<long> shape) => tensors.Add((name, shape, SegmentRole.Parameter));
        Add("tokens", 256, d);
        Add("positions", 128, d);
        for (var block = 0; block < 8; block++)
        {
            foreach (var (name, rows, columns) in new[] { ("qkv", 3 * d, d), ("out", d, d), ("up", 4 * d, d), ("down", d, 4 * d) })
            {
                Add($"{block}.{name}.weight", rows, columns);
                Add($"{block}.{name}.bias", rows);
            }

            foreach (var norm in new[] { "norm1", "norm2" })
            {
                Add($"{block}.{norm}.weight", d);
                Add($"{block}.{norm}.bias", d);
            }
        }

        Add("norm.weight", d);
        Add("norm.bias", d);
        return new Layout(tensors);
    }

    private static void Measure(Layout layout, int threads, int rounds)
    {
        using var theta = Filled(layout, 1, 0.1);
        using var gradient = Filled(layout, 2, 0.01);
        using var lamb = new LambOptimizer(new OptimizerSpec(), layout, CPU, threads);
        var (m, v) = (lamb.Moments[0].Buffer, lamb.Moments[1].Buffer);
        set_num_threads(threads);
        var t = 0L;
        using var naive = new NaiveLamb(layout, theta, gradient, m, v);
        (string Name, Action Work)[] columns =
        [
            ("lamb", () => lamb.Step(theta, gradient, 1, 1e-3, ++t)),
            ("stream", () => Stream(theta, gradient, m, v, threads)),
            ("copy", () => Copy(theta, gradient, threads)),
            ("naive", () => naive.Step(++t)),
        ];
        var seconds = columns.ToDictionary(c => c.Name, _ => new List<double>());
        for (var round = -2; round < rounds; round++) // Two rounds to warm up.
        {
            foreach (var (name, work) in columns)
            {
                Fill(layout, gradient, 3 + round, 0.01); // A LAMB step leaves u where g was.
                var start = Stopwatch.GetTimestamp();
                work();
                if (round >= 0) { seconds[name].Add(Stopwatch.GetElapsedTime(start).TotalSeconds); }
            }
        }

        double Rate(string name, int bytes) => layout.ParameterLength * (double)bytes / Median(seconds[name]) / 1e9;
        var (ours, stream, slow) = (Rate("lamb", 28), Rate("stream", 28), Rate("naive", 28));
        Console.WriteLine(FormattableString.Invariant(
            $"{layout.ParameterCount / 1e6,8:F1}{layout.Parameters.Length,9}{threads,9}{ours,8:F1}{stream,13:F1}{ours / stream,13:P0}{Rate("copy", 8),8:F1}{slow,13:F1}{ours / slow,11:F1}x"));
    }

    /// <summary>x, m and v each change by something of g: the memory traffic of a LAMB step in one pass.</summary>
    private static void Stream(FlatBuffer x, FlatBuffer g, FlatBuffer m, FlatBuffer v, int threads) =>
        InBlocks(x.Length, threads, (at, length) => StreamBlock(x.Pointer + at, g.Pointer + at, m.Pointer + at, v.Pointer + at, length));

    private static void Copy(FlatBuffer from, FlatBuffer to, int threads) =>
        InBlocks(from.Length, threads, (at, length) => Buffer.MemoryCopy(from.Pointer + at, to.Pointer + at, length * 4, length * 4));

    private static void InBlocks(long length, int threads, Action<long, int> work)
    {
        var blocks = (int)((length + Blocks.Length - 1) / Blocks.Length);
        Blocks.ForEach(blocks, threads, block => work((long)block * Blocks.Length, (int)Math.Min(Blocks.Length, length - (long)block * Blocks.Length)));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void StreamBlock(float* x, float* g, float* m, float* v, int length)
    {
        var tiny = Vector512.Create(1e-9f);
        for (var i = 0; i < length; i += Vector512<float>.Count)
        {
            var change = tiny * Vector512.Load(g + i);
            (Vector512.Load(x + i) + change).Store(x + i);
            (Vector512.Load(m + i) + change).Store(m + i);
            Vector512.Abs(Vector512.Load(v + i) + change).Store(v + i);
        }
    }

    private static FlatBuffer Filled(Layout layout, long seed, double size)
    {
        var buffer = new FlatBuffer(layout.ParameterLength);
        Fill(layout, buffer, seed, size);
        return buffer;
    }

    private static void Fill(Layout layout, FlatBuffer buffer, long seed, double size)
    {
        var random = new SeededRandom((ulong)seed);
        foreach (var segment in layout.Parameters)
        {
            var value = (float)((random.NextDouble() + 0.1) * size);
            var values = buffer.Slice(segment.Offset, segment.Length);
            for (var i = 0; i < values.Length; i++) { values[i] = (i & 1) == 0 ? value : -value; }
        }
    }
}
