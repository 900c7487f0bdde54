using System.Numerics;
using System.Text.Json;
using Cluster.Contracts.Schedules;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Optimizers;
using Cluster.Trainer.Methods.Lamb;

namespace Cluster.Tests.Vectors;

/// <summary>The production kernels against public implementations, step by step; tolerances are those of the vectors' README.</summary>
public unsafe class LambVectorsTests
{
    public static TheoryData<string> Files => [.. VectorFiles.Of("lamb")];

    [Theory, MemberData(nameof(Files))]
    public void Every_step_matches_in_float64(string path) => Run<double>(path, "float64", relative: 1e-12, absolute: 1e-14, ratio: 1e-12);

    [Theory, MemberData(nameof(Files))]
    public void Every_step_matches_in_float32(string path) =>
        Run<float>(path, "float32", relative: 2e-5, absolute: new LambVector(path).IsLars ? 1e-5 : 2e-7, ratio: 1e-5);

    [Theory, MemberData(nameof(Files))]
    public void Two_threads_match_one_bit_for_bit(string path)
    {
        var file = new LambVector(path);
        Assert.Equal(new Trajectory<float>(file, threads: 1).RunAll(), new Trajectory<float>(file, threads: 2).RunAll());
    }

    [Fact]
    public void The_shipped_files_are_all_there() =>
        Assert.True(Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Vectors", "lamb"), "*.json").Count() >= 14);

    [Fact]
    public void The_layers_follow_from_the_spec()
    {
        foreach (var path in Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Vectors", "lamb"), "*.json"))
        {
            var file = new LambVector(path);
            foreach (var (wanted, found) in file.Layers.Zip(LayerTable.Build(file.Layout, file.Spec, file.Spec.WeightDecay!.Value)))
            {
                Assert.True(wanted == found, $"{Path.GetFileName(path)}: wanted {wanted}, found {found}");
            }
        }
    }

    [Fact]
    public void The_schedule_of_file_09_is_ours()
    {
        var file = new LambVector(VectorFiles.Of("lamb").First(path => Path.GetFileName(path).StartsWith("09-", StringComparison.Ordinal)));
        var (warmup, total) = (file.Schedule.GetProperty("warmup_steps").GetInt64(), file.Schedule.GetProperty("total_steps").GetInt64());
        var peak = file.Schedule.GetProperty("base_lr").GetDouble() * Math.Sqrt(file.Schedule.GetProperty("batch").GetDouble() / file.Schedule.GetProperty("base_batch").GetDouble());
        var spec = new ScheduleSpec { Warmup = WarmupConvention.FromZero, Decay = DecayKind.Linear };
        foreach (var step in file.Steps)
        {
            var t = step.GetProperty("t").GetInt64(); // The file's t counts from 1, and so its first update is our n = 1.
            Assert.Equal(step.GetProperty("lr").GetDouble(), Schedule.Rate(t, warmup, total, peak, spec), 1e-15);
        }
    }

    private static void Run<T>(string path, string precision, double relative, double absolute, double ratio)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var file = new LambVector(path);
        var run = new Trajectory<T>(file, threads: 1);
        foreach (var (step, expected) in file.Steps.Zip(file.Expected(precision)))
        {
            var (gradNorm, divisor) = run.Step(step);
            var at = $"{Path.GetFileName(path)} {precision} t={step.GetProperty("t").GetInt64()}";

            Close(expected.GetProperty("global_grad_norm").GetDouble(), gradNorm, ratio, absolute, $"{at} global_grad_norm");
            if (expected.TryGetProperty("grad_divisor", out var wanted)) { Close(wanted.GetDouble(), divisor, ratio, absolute, $"{at} grad_divisor"); }
            foreach (var (name, values) in run.State)
            {
                var wants = file.Flat<T>(expected.GetProperty(name));
                foreach (var segment in file.Layout.Parameters)
                {
                    for (var i = segment.Offset; i < segment.End; i++)
                    {
                        Close(double.CreateChecked(wants[i]), double.CreateChecked(values[i]), relative, absolute, $"{at} {name} {segment.Name}[{i - segment.Offset}]");
                    }
                }
            }

            foreach (var (layer, norms) in file.Layers.Zip(run.Norms))
            {
                Close(Of("trust_ratio"), norms.Ratio, ratio, 0, $"{at} trust_ratio {layer.Name}");
                Close(Of("param_norm"), Math.Min(norms.First, file.NormClamp), ratio, absolute, $"{at} param_norm {layer.Name}");
                if (expected.TryGetProperty("update_norm", out _)) { Close(Of("update_norm"), norms.Second, ratio, absolute, $"{at} update_norm {layer.Name}"); }

                double Of(string what) => expected.GetProperty(what).GetProperty(layer.Name).GetDouble();
            }
        }
    }

    private static void Close(double wanted, double found, double relative, double absolute, string what) =>
        Assert.True(Math.Abs(wanted - found) <= absolute + relative * Math.Abs(wanted), $"{what}: wanted {wanted:R}, found {found:R}");

    /// <summary>The optimiser of a file and its state, over plain arrays of either precision.</summary>
    private sealed class Trajectory<T>(LambVector file, int threads) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        private readonly Lamb<T> _lamb = new(file.Spec, file.Layers, threads);
        private readonly Lars<T> _lars = new(file.Spec, file.Layers, threads);
        private readonly T[] _x = file.Initial<T>();
        private readonly T[] _m = new T[file.Layout.ParameterLength];
        private readonly T[] _v = new T[file.Layout.ParameterLength];

        public IEnumerable<(string Name, T[] Values)> State =>
            file.IsLars ? [("params", _x), ("momentum", _m)] : [("params", _x), ("exp_avg", _m), ("exp_avg_sq", _v)];

        public LayerNorms[] Norms => (file.IsLars ? _lars.Norms : _lamb.Norms).ToArray();

        public T[] RunAll()
        {
            foreach (var step in file.Steps) { Step(step); }
            return _x;
        }

        public (double GradNorm, double Divisor) Step(JsonElement step)
        {
            var (gradient, scale) = Gradient(step);
            fixed (T* x = _x, g = gradient, m = _m, v = _v)
            {
                var norm = scale * Math.Sqrt(FlatNorm.SumOfSquares(g, gradient.Length, threads));
                var clip = file.MaxGradNorm is { } limit ? FlatNorm.ClipFactor(norm, limit) : 1;
                var (rate, t) = (step.GetProperty("lr").GetDouble(), step.GetProperty("t").GetInt64());
                if (file.IsLars) { _lars.Step(x, g, m, scale * clip, rate); }
                else { _lamb.Step(x, g, m, v, scale * clip, rate, t); }

                return (norm, 1 / clip);
            }
        }

        /// <summary>The step's gradient; or, where the file lists workers, the sum over their samples and one over the samples' number.</summary>
        private (T[] Sum, double Scale) Gradient(JsonElement step)
        {
            if (!step.TryGetProperty("worker_grads", out var workers)) { return (file.Flat<T>(step.GetProperty("grads")), 1); }

            var samples = step.GetProperty("worker_samples").EnumerateArray().Select(s => s.GetDouble()).ToArray();
            var sum = new T[file.Layout.ParameterLength];
            foreach (var (worker, count) in workers.EnumerateArray().Zip(samples))
            {
                var mean = file.Flat<T>(worker);
                for (var i = 0; i < sum.Length; i++) { sum[i] += T.CreateChecked(count) * mean[i]; }
            }

            return (sum, 1 / samples.Sum());
        }
    }
}
