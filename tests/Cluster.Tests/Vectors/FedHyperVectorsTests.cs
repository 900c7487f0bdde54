using System.Text.Json;
using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Federated;
using Cluster.Trainer.Core.Collectives;
using Cluster.Trainer.Methods.FedHyper;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Tests.Vectors;

/// <summary>
/// Local training, schedulers, canonical sum and server step against reference numbers, round by round and step by step. Tolerances are
/// those of the vectors' README.
/// </summary>
public sealed class FedHyperVectorsTests
{
    /// <summary>A fair one for float32, by the README.</summary>
    private const double SinglePrecision = 1e-5;

    public static TheoryData<string> Files => [.. VectorFiles.Of("fedhyper")];

    [Theory, MemberData(nameof(Files))]
    public void Every_round_matches_in_float64(string path) => RunAll(path, ScalarType.Float64);

    [Theory, MemberData(nameof(Files))]
    public void Every_round_matches_in_float32(string path) => RunAll(path, ScalarType.Float32);

    [Fact]
    public void The_shipped_files_and_their_cases_are_all_there()
    {
        var files = Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Vectors", "fedhyper"), "*.json");
        Assert.True(files.Length >= 5);
        Assert.True(files.Sum(file => new FedHyperVector(file).Cases.Count()) >= 34);
    }

    private static void RunAll(string path, ScalarType type)
    {
        var file = new FedHyperVector(path);
        foreach (var @case in file.Cases)
        {
            using var scope = NewDisposeScope();
            new Trajectory(file, @case, type, Path.GetFileName(path)).Run();
        }
    }

    /// <summary>A job of one case, put together from the production's parts.</summary>
    private sealed class Trajectory
    {
        private readonly FedHyperVector _file;
        private readonly FedHyperCase _case;
        private readonly ScalarType _type;
        private readonly string _source;
        private readonly IRateScheduler _scheduler;
        private readonly LocalTraining _training;
        private readonly ServerStep _server;
        private readonly Dictionary<string, Tensor> _moments = [];
        private readonly Tensor _w;
        private readonly Tensor _last;
        private RateState _rates;
        private long _applied;

        public Trajectory(FedHyperVector file, FedHyperCase @case, ScalarType type, string source)
        {
            (_file, _case, _type, _source) = (file, @case, type, source);
            _w = Vector(file.InitialWeights);
            _last = zeros_like(_w);
            _scheduler = @case.Scheduler(file.Participants(0).Count);
            _training = new LocalTraining(LocalOptimizer.Create(new LocalOptimizerSpec.Sgd(), () => zeros_like(_w)), proximal: 0, byCosine: false, threads: 1);
            _server = new ServerStep(_scheduler, ServerOptimizer.Create(@case.Server, Moment), byCosine: false, threads: 1);
            _rates = new RateState(@case.Alpha0, @case.Beta0);
        }

        public void Run()
        {
            for (var round = 0; round < _case.Expected.Count; round++) { Round(round, _case.Expected[round]); }
        }

        private void Round(int round, JsonElement expected)
        {
            var at = $"{_source} {_case.Name} {_type} round {round}";
            var participants = _file.Participants(round);
            if (expected.TryGetProperty("localLrStart", out var start)) { Close(start.GetDouble(), _rates.Beta, $"{at} localLrStart"); }

            var (sum, weight, squares) = Sum(round, expected, participants, at);
            var before = _rates;
            if (_server.Step(_w, _last, sum, weight, squares, _applied, ref _rates) is not { } record)
            {
                Assert.True(expected.TryGetProperty("skipped", out var skipped) && skipped.GetBoolean(), $"{at}: was skipped");
                Close(expected, "weights", _w, at);
                Assert.Equal(before, _rates);
                return;
            }

            _applied++;
            Assert.False(expected.TryGetProperty("skipped", out _), $"{at}: was not skipped");
            Close(expected, "globalUpdate", _last, at);
            Close(expected, "hyperDot", record.Product, at);
            Close(expected, "globalLr", record.Alpha, at);
            Close(expected, "globalLr", _rates.Alpha, at);
            Close(expected, "weights", _w, at);
            Close(expected, "localLrNext", _rates.Beta, at);
            Close(expected, "momentum", _moments.GetValueOrDefault("momentum"), at);
            Close(expected, "adamM", _moments.GetValueOrDefault("m"), at);
            Close(expected, "adamV", _moments.GetValueOrDefault("v"), at);
            if (expected.TryGetProperty("globalLoss", out var loss)) { Close(loss.GetDouble(), _file.Problem!.GlobalLoss(Doubles(_w)), $"{at} globalLoss"); }
            if (record.Product is { } product)
            {
                Close(expected, "globalLrUnclipped", () => _case.GlobalRule.Free(before.Alpha, product), at);
                Close(expected, "localLrNextUnclipped", () => _case.LocalRule.Free(before.Beta, product), at);
            }
        }

        /// <summary>The weighted changes of those who report, added as the round loop adds them.</summary>
        private (Tensor Sum, double Weight, double Squares) Sum(int round, JsonElement expected, IReadOnlyList<FedHyperVector.Participant> participants, string at)
        {
            var fold = new CanonicalFold<Tensor>(participants.Count, (_, left, right) => left + right);
            var (weight, squares, weights) = (0.0, 0.0, new List<double>());
            foreach (var (index, client) in participants.Index())
            {
                if (client.IsLost)
                {
                    fold.Push(new Node(index, 1), zeros_like(_w));
                    continue;
                }

                var delta = client.Delta is { } given ? Vector(given) : Train(client, Of(expected, client.Name), $"{at} {client.Name}");
                double p = _case.IsUniform ? 1 : client.Examples;
                weight += p;
                squares += p * Doubles(delta).Sum(x => x * x);
                weights.Add(p);
                fold.Push(new Node(index, 1), delta * p);
            }

            if (expected.TryGetProperty("aggregationWeights", out var shares) && weight > 0)
            {
                foreach (var (wanted, share) in FedHyperVector.Numbers(shares).Zip(weights, (wanted, p) => (wanted, p / weight))) { Close(wanted, share, $"{at} aggregationWeights"); }
            }

            return (fold.Total, weight, squares);
        }

        private Tensor Train(FedHyperVector.Participant client, JsonElement expected, string at)
        {
            var steps = _case.LocalSteps;
            var rates = new Recording(_scheduler.Client(_rates.Beta, new ClientRound(steps, steps, _file.Participants(0).Count)));
            var gradients = new List<Tensor>();
            var w = _w.clone();
            var run = _training.Run(w, _w, _applied > 0 ? _last : null, steps, rates, k =>
            {
                gradients.Add(Vector(_file.Problem!.Gradient(client.Name, Doubles(w), client.Batches.Length > 0 ? client.Batches[k] : null)));
                return gradients[^1];
            });
            Assert.Equal(steps, run.Steps);
            Close(rates.Betas.Average(), run.BetaMean, $"{at} mean β");

            var wanted = expected.GetProperty("steps");
            Assert.Equal(steps, wanted.GetArrayLength());
            for (var k = 0; k < steps; k++)
            {
                var (step, where) = (wanted[k], $"{at} step {k}");
                Close(step, "gradient", gradients[k], where);

                // A product is as exact as the lengths of its vectors say, however near to orthogonal they are; the rate follows it.
                var (length, global) = (Norm(gradients[k]), Norm(gradients[k]) * Norm(_last));
                var previous = k > 0 ? length * Norm(gradients[k - 1]) : 0;
                Close(step, "localLr", () => rates.Betas[k], where, previous + global);
                Close(step, "gradDotPrevGrad", () => rates.Products[k].Previous, where, previous);
                Close(step, "gradDotGlobalUpdate", () => rates.Products[k].Global, where, global);
                if (k > 0)
                {
                    Close(step, "localLrUnclipped", () => _case.LocalRule.Free(rates.Betas[k - 1], rates.Products[k].Previous + (_case.TermScale * rates.Products[k].Global)), where, previous + global);
                }

                if (k + 1 < steps) { Close(step, "multiplierAfter", () => rates.Betas[k + 1] / _case.Beta0, where); }
            }

            var delta = _w - w;
            Close(expected, "delta", delta, at);
            return delta;
        }

        private static JsonElement Of(JsonElement expected, string client) =>
            expected.GetProperty("clients").EnumerateArray().Single(entry => entry.GetProperty("client").GetString() == client);

        private Tensor Moment(string name) => _moments[name] = zeros_like(_w);

        private Tensor Vector(double[] numbers) => tensor(numbers).to(_type);

        private static double[] Doubles(Tensor vector) => vector.to(ScalarType.Float64).data<double>().ToArray();

        private void Close(JsonElement expected, string name, Tensor? found, string at)
        {
            if (!expected.TryGetProperty(name, out var value)) { return; }
            Assert.True(found is not null, $"{at} {name}: there is none");
            var (wanted, numbers) = (FedHyperVector.Numbers(value), Doubles(found));
            Assert.Equal(wanted.Length, numbers.Length);
            var largest = wanted.Max(Math.Abs);
            for (var i = 0; i < wanted.Length; i++) { Close(wanted[i], numbers[i], $"{at} {name}[{i}]", largest); }
        }

        private void Close(JsonElement expected, string name, double? found, string at)
        {
            if (!expected.TryGetProperty(name, out var value)) { return; }
            if (value.ValueKind == JsonValueKind.Null) { Assert.True(found is null, $"{at} {name}: wanted none, found {found:R}"); }
            else { Close(value.GetDouble(), found ?? double.NaN, $"{at} {name}"); }
        }

        private void Close(JsonElement expected, string name, Func<double> found, string at, double largest = 0)
        {
            if (expected.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null) { Close(value.GetDouble(), found(), $"{at} {name}", largest); }
        }

        private static double Norm(Tensor vector) => Math.Sqrt(Doubles(vector).Sum(x => x * x));

        /// <param name="largest">What single precision is measured by: the largest number of a vector, the lengths behind a product.</param>
        private void Close(double wanted, double found, string what, double largest = 0)
        {
            var allowed = _type == ScalarType.Float64
                ? _file.Absolute + (_file.Relative * Math.Abs(wanted))
                : SinglePrecision * Math.Max(Math.Max(largest, Math.Abs(wanted)), 0.01);
            Assert.True(Math.Abs(wanted - found) <= allowed, $"{what}: wanted {wanted:R}, found {found:R}");
        }
    }

    /// <summary>The rates as they are, with a copy of what passes through.</summary>
    private sealed class Recording(IClientRates rates) : IClientRates
    {
        public List<StepProducts> Products { get; } = [];

        public List<double> Betas { get; } = [];

        public bool NeedsProducts => rates.NeedsProducts;

        public double At(long step, in StepProducts products)
        {
            Products.Add(products);
            Betas.Add(rates.At(step, products));
            return Betas[^1];
        }
    }
}
