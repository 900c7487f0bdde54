using Cluster.Contracts.Spec;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Models;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Methods;
using Cluster.Trainer.Methods.Lamb;
using Cluster.Trainer.Rounds;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Tests.Rounds;

/// <summary>
/// The gradient that a round reduces, from ragged leaves of unequal weight on any number of ranks, is the gradient of the mean
/// loss over the global batch. LAMB, whose step does not depend on the gradient's length, would hide a wrong divisor.
/// </summary>
[Collection(TorchTests.Name)]
public sealed class ReducedGradientTests
{
    private const double Tolerance = 1e-5;

    /// <summary>Seven leaves: six of 8 samples and one of 2.</summary>
    private const string Digits = """
        name: digits
        method: lamb
        model: { kind: mlp, hidden: [48, 24], dropout: 0 }
        data: { kind: digits }
        batch: 50
        leaf: 8
        rounds: 1
        schedule: { lr: 0.02 }
        evaluate: { samples: 16 }
        """;

    /// <summary>Seven leaves, the last one smaller; each has another number of masked bytes.</summary>
    private const string Bert = """
        name: bert
        method: lamb
        model: { kind: bert, layers: 2, width: 32, heads: 2, context: 32, dropout: 0 }
        data: { kind: text, files: [text/tinyshakespeare.txt] }
        batch: 20
        leaf: 3
        rounds: 1
        schedule: { lr: 0.02 }
        evaluate: { samples: 16 }
        """;

    [Theory]
    [InlineData(nameof(Digits), 1), InlineData(nameof(Digits), 2), InlineData(nameof(Digits), 3), InlineData(nameof(Digits), 5)]
    [InlineData(nameof(Bert), 1), InlineData(nameof(Bert), 2), InlineData(nameof(Bert), 3), InlineData(nameof(Bert), 5)]
    public void The_reduced_gradient_is_that_of_the_global_batch_in_one_piece(string job, int count)
    {
        var spec = SpecReader.Read(job == nameof(Digits) ? Digits : Bert, job).Spec!;
        var methods = Enumerable.Range(0, count).Select(_ => new Recording(new LargeBatchMethod(spec, [DataRoots.Shipped], CPU))).ToArray();
        var expected = InOnePiece(spec, methods[0].State.Layout);

        Ranks.Run(count, mesh =>
        {
            using var loop = new RoundLoop(methods[mesh.Rank], spec, new Recorder());
            return loop.Run(mesh, () => default);
        });

        var leaves = methods.SelectMany(method => method.Leaves).ToArray();
        Assert.Equal(7, leaves.Length);
        foreach (var method in methods)
        {
            var (sum, tally) = method.Reduced!.Value;
            Assert.InRange(Distance(Scaled(sum, 1 / tally.Weight), expected), 0, Tolerance);
            Assert.InRange(method.Result!.GradientNorm / Norm(expected), 1 - Tolerance, 1 + Tolerance);

            // What a wrong divisor would give, each far outside of the tolerance.
            Assert.InRange(Distance(Scaled(sum, 1.0 / leaves.Length), expected), 100 * Tolerance, double.PositiveInfinity);
            Assert.InRange(Distance(Scaled(sum, 1.0 / count), expected), 100 * Tolerance, double.PositiveInfinity);
        }

        // Means of means: of leaves, and of ranks, as usual data-parallel code takes them.
        Assert.InRange(Distance(MeanOfMeans(leaves.Select(leaf => (leaf.Gradient, leaf.Weight))), expected), 100 * Tolerance, double.PositiveInfinity);
        if (count > 1)
        {
            var ranks = methods.Select(method => (Sum(method.Leaves.Select(leaf => leaf.Gradient)), method.Leaves.Sum(leaf => leaf.Weight)));
            Assert.InRange(Distance(MeanOfMeans(ranks), expected), 100 * Tolerance, double.PositiveInfinity);
        }

        foreach (var method in methods) { method.Dispose(); }
    }

    /// <summary>Plain autograd of the mean loss over the round's samples; [layout.ParameterLength], zero between the segments.</summary>
    private static double[] InOnePiece(JobSpec spec, Layout layout)
    {
        var masked = spec.Model is ModelSpec.Bert;
        var data = DataSets.Open(spec.Data!, [DataRoots.Shipped], DataSplit.Train, (spec.Model as ModelSpec.Bert)?.Context, masked);
        var samples = new long[spec.Batch!.Value];
        new SampleStream(spec.Seed, data.Count).Fill(0, samples);

        using var scope = NewDisposeScope();
        using var network = ModelCatalog.Create(spec.Model, data.InputShape, data.Classes, spec.Seed, CPU);
        using var batch = data.Gather(samples, Seeds.Derive(spec.Seed, SeedPurpose.Masking, 0), CPU);
        var loss = nn.functional.cross_entropy(network.Logits(batch.Inputs).flatten(0, -2), batch.Targets.view(-1), ignore_index: Batch.NoTarget);
        loss.backward();

        var gradient = new double[layout.ParameterLength];
        foreach (var (name, parameter) in network.named_parameters())
        {
            var offset = layout.Parameters.Single(segment => segment.Name == name).Offset;
            foreach (var value in parameter.grad!.data<float>()) { gradient[offset++] = value; }
        }

        return gradient;
    }

    private static double Norm(double[] x) => Math.Sqrt(x.Sum(value => value * value));

    /// <summary>|x - expected| / |expected|.</summary>
    private static double Distance(double[] x, double[] expected) => Norm([.. x.Zip(expected, (a, b) => a - b)]) / Norm(expected);

    private static double[] Scaled(double[] x, double factor) => [.. x.Select(value => value * factor)];

    private static double[] Sum(IEnumerable<double[]> vectors) => vectors.Aggregate((a, b) => [.. a.Zip(b, (x, y) => x + y)]);

    private static double[] MeanOfMeans(IEnumerable<(double[] Sum, double Weight)> parts)
    {
        var means = parts.Select(part => Scaled(part.Sum, 1 / part.Weight)).ToArray();
        return Scaled(Sum(means), 1.0 / means.Length);
    }

    /// <summary>The method as it is, with a copy of what passes through.</summary>
    private sealed class Recording(IRoundMethod method) : IRoundMethod
    {
        public List<(double[] Gradient, double Weight)> Leaves { get; } = [];

        public (double[] Sum, Tally Tally)? Reduced { get; private set; }

        public RoundResult? Result { get; private set; }

        public long Rounds => method.Rounds;

        public long ContributionLength => method.ContributionLength;

        public IReadOnlyList<EvaluationSet> EvaluationSets => method.EvaluationSets;

        public MethodState State => method.State;

        IReadOnlyList<Leaf> IRoundMethod.Leaves(long round) => method.Leaves(round);

        public Tally Contribute(long round, Leaf leaf, FlatBuffer into)
        {
            var tally = method.Contribute(round, leaf, into);
            Leaves.Add((Copy(into), tally.Weight));
            return tally;
        }

        public RoundResult Update(long round, FlatBuffer sum, in Tally tally)
        {
            Reduced = (Copy(sum), tally);
            return Result = method.Update(round, sum, tally);
        }

        public Tally Evaluate(EvaluationSet set, Leaf leaf) => method.Evaluate(set, leaf);

        public void Dispose() => method.Dispose();

        private double[] Copy(FlatBuffer buffer) => [.. buffer.Slice(0, State.Layout.ParameterLength).ToArray().Select(value => (double)value)];
    }
}
