using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Graphs;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Tests.Graphs;

public sealed class SparseMatrixTests
{
    [Theory, InlineData(1), InlineData(7), InlineData(8), InlineData(128), InlineData(131)]
    public void Products_are_those_of_the_dense_matrix(int width)
    {
        using var scope = NewDisposeScope();
        var sparse = Some(rows: 37, columns: 23, seed: width);
        using var generator = manual_seed(5);
        var x = randn(23, width, dtype: ScalarType.Float64);

        Assert.True(sparse.Times(x).allclose(sparse.Dense(ScalarType.Float64).mm(x), 1e-13, 1e-14));
        Assert.True(sparse.Times(x.to(ScalarType.Float32)).to(ScalarType.Float64).allclose(sparse.Times(x), 1e-5, 1e-6));
        Assert.True(sparse.Transposed().Dense(ScalarType.Float64).equal(sparse.Dense(ScalarType.Float64).t()).all().item<bool>());
        Assert.True(sparse.Take([5, 0, 36]).Dense(ScalarType.Float64).equal(sparse.Dense(ScalarType.Float64).index_select(0, tensor(new long[] { 5, 0, 36 }))).all().item<bool>());
    }

    [Fact]
    public void Any_number_of_threads_gives_the_same_bits()
    {
        using var scope = NewDisposeScope();
        var sparse = Some(rows: 500, columns: 300, seed: 1);
        using var generator = manual_seed(5);
        var x = randn(300, 40);
        Assert.Equal(sparse.Times(x).data<float>().ToArray(), sparse.Times(x, threads: 3).data<float>().ToArray());
    }

    /// <summary>By hand: 0 - 1 - 2 and the one-way message 2 to 3.</summary>
    [Fact]
    public void Normalisation_counts_incoming_messages_and_oneself()
    {
        using var scope = NewDisposeScope();
        var graph = new Adjacency(4, [(0, 1), (1, 0), (1, 2), (2, 1), (2, 3), (2, 3), (3, 3)]);
        Assert.Equal(5, graph.Messages);

        var dense = SparseMatrix.Normalised(graph).Dense(ScalarType.Float64);
        double[,] expected =
        {
            { 1 / 2.0, 1 / Math.Sqrt(6), 0, 0 },
            { 1 / Math.Sqrt(6), 1 / 3.0, 1 / Math.Sqrt(6), 0 },
            { 0, 1 / Math.Sqrt(6), 1 / 2.0, 0 },
            { 0, 0, 1 / 2.0, 1 / 2.0 },
        };
        Assert.True(dense.allclose(tensor(expected), 1e-14, 1e-14));

        double[,] mean = { { 0, 1, 0, 0 }, { 0.5, 0, 0.5, 0 }, { 0, 1, 0, 0 }, { 0, 0, 1, 0 } };
        Assert.True(SparseMatrix.Mean(graph).Dense(ScalarType.Float64).equal(tensor(mean)).all().item<bool>());
        Assert.Equal(0, SparseMatrix.Mean(new Adjacency(2, [])).NonZeros);
    }

    private static SparseMatrix Some(int rows, int columns, int seed)
    {
        var random = new SeededRandom(Seeds.Derive(seed, SeedPurpose.Shuffle));
        return new SparseMatrix(columns, [.. Enumerable.Range(0, rows).Select(_ => (IReadOnlyList<(int, double)>)[.. Enumerable.Range(0, columns).Where(_ => random.NextInt(4) == 0).Select(column => (column, random.NextDouble() - 0.5))])]);
    }
}
