using System.Diagnostics;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Cluster.Trainer.Core.Optimizers;
using Cluster.Trainer.Methods.Lamb;
namespace Cluster.Benchmarks;
internal static unsafe class LambBenchmark
{
    [DllImport("libc")] static extern int madvise(void* p, nuint n, int a);
    static float* Alloc(long n) { var p = (float*)NativeMemory.AlignedAlloc((nuint)(n * 4), 2 << 20); if (Environment.GetEnvironmentVariable("HUGE") != "0") _ = madvise(p, (nuint)(n * 4), 14); return p; }
    static List<long> Segs(int d) { var s = new List<long> { 256 * d, 128 * d }; for (int l = 0; l < 8; l++) { s.AddRange(new long[] { d, d, 3 * d * d, 3 * d, d * d, d, d, d, 4 * d * d, 4 * d, 4 * d * d, d }); } s.Add(d); s.Add(d); return s; }
    public static int Run(string[] args)
    {
        int d = int.Parse(args[1]), threads = int.Parse(args[2]); var rounds = 15;
        var segs = Segs(d).Select(n => (n + 15) / 16 * 16).ToList(); long N = segs.Sum(); var layers = new List<(long, long)>(); long o = 0; foreach (var s in segs) { layers.Add((o, s)); o += s; }
        float* X = Alloc(N), G = Alloc(N), M = Alloc(N), V = Alloc(N);
        var rnd = new Random(1); for (long i = 0; i < N; i++) { X[i] = (float)(rnd.NextDouble() - .5) * 0.1f; G[i] = (float)(rnd.NextDouble() - .5) * 0.01f; M[i] = 0; V[i] = 1e-5f; }
        using var step = new TwoPassStep<float>(layers, threads);
        var k = new LambKernels<float> { x = X, g = G, m = M, v = V };
        var pieces = Blocks.Cut(0, N).ToArray();
        void Stream() => Blocks.ForEach(pieces.Length, threads, 8, (b, _) => { float* x = X + pieces[b].Offset, m = M + pieces[b].Offset, v = V + pieces[b].Offset, g = G + pieces[b].Offset; var z = Vector512.Create(1e-9f); for (int i = 0; i < pieces[b].Length; i += 16) { var q = Vector512.Load(g + i)*z; (Vector512.Load(x + i) + q).Store(x + i); (Vector512.Load(m + i) + q).Store(m + i); (Vector512.Load(v + i) + Vector512.Abs(q)).Store(v + i); } });
        void Pass1() => Blocks.ForEach(pieces.Length, threads, 8, (b, _) => k.Measure(0, pieces[b], null));
        void Pass2() => Blocks.ForEach(pieces.Length, threads, 8, (b, _) => k.Apply(0, pieces[b], null, 1e-3));
        var tests = new (string, double, Action)[] { ("lamb", 28, () => step.Run(k)), ("stream", 28, Stream), ("pass1 24B", 24, Pass1), ("pass2 16B", 16, Pass2) };
        var t = tests.Select(_ => new List<double>()).ToArray();
        for (int r = 0; r < rounds + 2; r++) for (int i = 0; i < tests.Length; i++) { var s = Stopwatch.GetTimestamp(); tests[i].Item3(); var e = Stopwatch.GetElapsedTime(s).TotalSeconds; if (r > 1) t[i].Add(e); }
        double med0=0; for (int i = 0; i < tests.Length; i++) { t[i].Sort(); var med = t[i][t[i].Count / 2]; if(i==1) med0=med; Console.WriteLine($"{tests[i].Item1,-12} med {med * 1e3,7:F2} ms min {t[i][0]*1e3,7:F2} | {N * tests[i].Item2 / med / 1e9,6:F1} GB/s  best {N * tests[i].Item2 / t[i][0] / 1e9,6:F1}"); }
        { Console.WriteLine($"N={N/1e6:F1}M threads={threads} ratio lamb/stream = med {t[1][t[1].Count/2]/t[0][t[0].Count/2]:P0} best {t[1][0]/t[0][0]:P0}"); }
        return 0;
    }
}
