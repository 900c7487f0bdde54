using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Optimizers;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Graphs;

/// <summary>
/// A sparse matrix in compressed rows. Products with dense matrices are sums in the order of the columns, so they are the same
/// bits for any number of threads. Values are float64 and rounded to the type of the product. On the CPU.
/// </summary>
internal sealed class SparseMatrix
{
    private readonly int[] _first;     // [RowCount + 1]
    private readonly int[] _columns;   // [NonZeros]
    private readonly double[] _values; // [NonZeros]

    /// <param name="rows">Of each row the columns, ascending, and their values.</param>
    public SparseMatrix(int columns, IReadOnlyList<IReadOnlyList<(int Column, double Value)>> rows)
    {
        ColumnCount = columns;
        _first = new int[rows.Count + 1];
        for (var row = 0; row < rows.Count; row++) { _first[row + 1] = checked(_first[row] + rows[row].Count); }
        _columns = [.. rows.SelectMany(row => row.Select(entry => entry.Column))];
        _values = [.. rows.SelectMany(row => row.Select(entry => entry.Value))];
    }

    private SparseMatrix(int columns, int[] first, int[] columnOf, double[] values) => (ColumnCount, _first, _columns, _values) = (columns, first, columnOf, values);

    public int RowCount => _first.Length - 1;

    public int ColumnCount { get; }

    public int NonZeros => _columns.Length;

    /// <summary>The columns of a row, ascending.</summary>
    public ReadOnlySpan<int> ColumnsOf(int row) => _columns.AsSpan(_first[row], _first[row + 1] - _first[row]);

    public ReadOnlySpan<double> ValuesOf(int row) => _values.AsSpan(_first[row], _first[row + 1] - _first[row]);

    /// <summary>
    /// Â = D^-½ (A + I) D^-½ (Kipf and Welling 2017): for a message from j to i, or i = j, 1/√(d_i d_j), with d_i = 1 + messages to i.
    /// </summary>
    public static SparseMatrix Normalised(Adjacency graph)
    {
        var degree = Enumerable.Range(0, graph.Nodes).Select(node => 1.0 + graph.SendersTo(node).Length).ToArray();
        return Build(graph.Nodes, row =>
        {
            int[] columns = [.. graph.SendersTo(row), row];
            Array.Sort(columns);
            return [.. columns.Select(column => (column, 1 / Math.Sqrt(degree[row] * degree[column])))];
        });
    }

    /// <summary>The mean over the senders to each node; a row of a node without any is empty.</summary>
    public static SparseMatrix Mean(Adjacency graph) => Build(graph.Nodes, row =>
    {
        var senders = graph.SendersTo(row).ToArray();
        return [.. senders.Select(sender => (sender, 1.0 / senders.Length))];
    });

    /// <summary>These rows alone, in this order.</summary>
    public SparseMatrix Take(IReadOnlyList<int> rows)
    {
        var first = new int[rows.Count + 1];
        for (var i = 0; i < rows.Count; i++) { first[i + 1] = first[i] + ColumnsOf(rows[i]).Length; }
        return new SparseMatrix(ColumnCount, first, [.. rows.SelectMany(row => ColumnsOf(row).ToArray())], [.. rows.SelectMany(row => ValuesOf(row).ToArray())]);
    }

    public SparseMatrix Transposed()
    {
        var rows = new List<(int, double)>[ColumnCount];
        for (var column = 0; column < ColumnCount; column++) { rows[column] = []; }
        for (var row = 0; row < RowCount; row++)
        {
            for (var i = _first[row]; i < _first[row + 1]; i++) { rows[_columns[i]].Add((row, _values[i])); }
        }

        return new SparseMatrix(RowCount, rows);
    }

    /// <summary>The first column in which two matrices of the same shape differ; <see cref="ColumnCount"/> where they are equal.</summary>
    public int FirstDifference(SparseMatrix other)
    {
        var first = ColumnCount;
        for (var row = 0; row < RowCount; row++)
        {
            var mine = ColumnsOf(row);
            var its = other.ColumnsOf(row);
            var same = Math.Min(mine.CommonPrefixLength(its), ValuesOf(row).CommonPrefixLength(other.ValuesOf(row)));
            if (same < mine.Length) { first = Math.Min(first, mine[same]); }
            if (same < its.Length) { first = Math.Min(first, its[same]); }
        }

        return first;
    }

    /// <summary>The last columns as a dense matrix, [RowCount, ColumnCount - first].</summary>
    public Tensor DenseFrom(int first, ScalarType type)
    {
        using var _ = no_grad();
        var width = ColumnCount - first;
        using var dense = zeros(RowCount, width, dtype: ScalarType.Float64);
        var elements = TensorMemory.Elements<double>(dense);
        for (var row = 0; row < RowCount; row++)
        {
            for (var i = _first[row]; i < _first[row + 1]; i++)
            {
                if (_columns[i] >= first) { elements[row * width + _columns[i] - first] = _values[i]; }
            }
        }

        return dense.to(type);
    }

    /// <summary>As a dense matrix, [RowCount, ColumnCount].</summary>
    public Tensor Dense(ScalarType type) => DenseFrom(0, type);

    /// <summary>This · x.</summary>
    /// <param name="x">[ColumnCount, width], float32 or float64, on the CPU.</param>
    /// <returns>[RowCount, width].</returns>
    public Tensor Times(Tensor x, int threads = 1)
    {
        if (x.dim() != 2 || x.shape[0] != ColumnCount) { throw new ArgumentException($"a matrix with {ColumnCount} columns times one of shape [{string.Join(", ", x.shape)}]", nameof(x)); }

        using var contiguous = x.contiguous();
        var width = (int)x.shape[1];
        var product = TensorMemory.Allocate(x.dtype, RowCount, width);
        if (x.dtype == ScalarType.Float32) { Multiply<float>(contiguous, product, width, threads); }
        else { Multiply<double>(contiguous, product, width, threads); }
        return product;
    }

    private unsafe void Multiply<T>(Tensor x, Tensor product, int width, int threads) where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T>
    {
        var from = TensorMemory.Pointer<T>(x);
        var to = TensorMemory.Pointer<T>(product);
        Blocks.ForEach(RowCount, threads, row =>
        {
            var sum = to + (long)row * width;
            new Span<T>(sum, width).Clear();
            for (var i = _first[row]; i < _first[row + 1]; i++) { RowKernels.AddScaled(T.CreateTruncating(_values[i]), from + (long)_columns[i] * width, sum, width); }
        });
    }

    private static SparseMatrix Build(int nodes, Func<int, (int, double)[]> row) => new(nodes, [.. Enumerable.Range(0, nodes).Select(row)]);
}
