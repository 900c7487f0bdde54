using System.Net;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Collectives;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Methods;
using static TorchSharp.torch;

namespace Cluster.Tests.Rounds;

/// <summary>
/// LAMB does not feel the scale of the gradient, so a wrong divisor would never show in a loss curve. It shows here: the mean
/// gradient of a round, cut into leaves and summed by several ranks, against the same batch in one piece.
/// </summary>
[Collection(TorchTests.Name)]
public sealed class ReducedGradientTests
{
    private const double Tolerance = 1e-5;

    private const string Digits = """
        name: digits
        method: lamb
        model: { kind: mlp, hidden: [32] }
        data: { kind: digits }
        batch: 230
        rounds: 1
        schedule: { lr: 0.01 }
        """;

    /// <summary>Leaves have different weights: each sample has its own number of masked tokens, and the last leaf is ragged.</summary>
    private const string Bert = """
        name: bert
        method: lamb
        model: { kind: bert, layers: 1, width: 32, heads: 2, context: 24 }
        data: { kind: text, files: [text/tinyshakespeare.txt] }
        batch: 37
        rounds: 1
        schedule: { lr: 0.01 }
        """;

    [Theory]
    [InlineData(nameof(Digits), 32, 1)]
    [InlineData(nameof(Digits), 32, 2)]
    [InlineData(nameof(Digits), 32, 3)]
    [InlineData(nameof(Digits), 32, 5)]
    [InlineData(nameof(Bert), 5, 1)]
    [InlineData(nameof(Bert), 5, 3)]
    public void The_reduced_gradient_is_that_of_the_batch_in_one_piece(string job, int leaf, int ranks)
    {
        var (whole, tally, _) = Reduce(job, leaf: job == nameof(Digits) ? 230 : 37, ranks: 1);
        var (reduced, reducedTally, leaves) = Reduce(job, leaf, ranks);

        Assert.Equal((tally.Samples, tally.Weight, tally.Correct), (reducedTally.Samples, reducedTally.Weight, reducedTally.Correct));
        Assert.InRange(Distance(Scaled(reduced, 1 / reducedTally.Weight), Scaled(whole, 1 / tally.Weight)), 0, Tolerance);

        // What the check is for: each of the usual wrong divisors is far outside.
        Assert.True(leaves > 1);
        Assert.True(Distance(Scaled(reduced, 1.0 / leaves), Scaled(whole, 1 / tally.Weight)) > 0.1);
        Assert.True(Distance(Scaled(reduced, 1 / (tally.Weight * (ranks + 1))), Scaled(whole, 1 / tally.Weight)) > 0.1);
    }

    /// <summary>Every rank computes its leaves and takes part in the production reduction; all must get the same bits.</summary>
    private static (float[] Sum, Tally Tally, int Leaves) Reduce(string job, int leaf, int ranks)
    {
        var spec = SpecReader.Read(job == nameof(Digits) ? Digits : Bert, job, [$"leaf={leaf}"]).Spec!;
        var roots = DataRoots.Of(null, null, null);
        set_num_threads(1);

        using var method = TrainingMethods.Create(spec, roots, CPU);
        var leaves = method.Leaves(0);
        var ranges = new LeafRanges(leaves.Count, ranks);
        var listeners = Enumerable.Range(0, ranks).Select(_ => new DataPlaneListener(IPAddress.Loopback)).ToArray();
        var meshes = listeners.Select((listener, rank) => new Mesh(
            new MeshMembership("gradient", 1, rank, [.. listeners.Select(l => (EndPoint)l.EndPoint)], [.. new byte[MeshMembership.SecretBytes]]), listener)).ToArray();
        var accumulators = meshes.Select(_ => new LeafAccumulator(() => new FlatBuffer(method.ContributionLength))).ToArray();
        var sums = meshes.Select(_ => new FlatBuffer(method.ContributionLength)).ToArray();
        try
        {
            // One model serves all ranks in turn: a contribution depends on the state and the leaf alone.
            for (var rank = 0; rank < ranks; rank++)
            {
                accumulators[rank].Begin(ranges[rank], leaves.Count);
                for (var i = ranges[rank].First; i < ranges[rank].End; i++)
                {
                    accumulators[rank].Commit(method.Contribute(0, leaves[i], accumulators[rank].Next()));
                }
            }

            var threads = meshes.Select((mesh, rank) => new Thread(() =>
            {
                mesh.Connect();
                mesh.AllReduce(0, accumulators[rank].Nodes, ranges, sums[rank]);
            })).ToArray();
            foreach (var thread in threads) { thread.Start(); }
            foreach (var thread in threads) { Assert.True(thread.Join(TimeSpan.FromSeconds(60)), "the reduction hangs"); }

            var first = sums[0].Span.ToArray();
            Assert.All(sums, sum => Assert.True(sum.Span.SequenceEqual(first)));
            var fold = new CanonicalFold<Tally>(leaves.Count, (_, a, b) => a + b);
            foreach (var (node, _, tally) in accumulators.SelectMany(a => a.Nodes)) { fold.Push(node, tally); }
            return (first, fold.Total, leaves.Count);
        }
        finally
        {
            foreach (var disposable in meshes.Concat<IDisposable>(listeners).Concat(accumulators).Concat(sums)) { disposable.Dispose(); }
        }
    }

    private static double[] Scaled(float[] vector, double factor) => [.. vector.Select(x => x * factor)];

    /// <summary>‖a - b‖ / ‖b‖.</summary>
    private static double Distance(double[] a, double[] b) =>
        Math.Sqrt(a.Zip(b, (x, y) => (x - y) * (x - y)).Sum()) / Math.Sqrt(b.Sum(y => y * y));
}
