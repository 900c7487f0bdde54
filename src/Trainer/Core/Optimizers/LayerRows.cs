using System.Collections.Immutable;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Optimizers;

/// <summary>
/// The layers of a flat vector for whole-vector torch operations: the vector as a matrix whose rows each belong to one layer,
/// so that a number per layer reaches every element by broadcasting, and a sum per layer is a few deterministic gathers and
/// sums. No operation here waits for the device, and none uses atomic additions.
/// </summary>
/// <remarks>Rows are 16 wide where layers begin on the layout's 64-byte grid, narrower for stacks with odd slices. The tables take about 1 byte a parameter.</remarks>
internal sealed class LayerRows : IDisposable
{
    private const int Fan = 1024; // Terms of one partial sum.

    private readonly long _length;
    private readonly Tensor _layerOfRow;                        // [rows] int64
    private readonly ImmutableArray<Tensor> _levels;            // each [sums, terms] int64, indices into the level below

    /// <param name="length">Floats in the vector's parameter part, padding included.</param>
    public LayerRows(ImmutableArray<Layer> layers, long length, Device device)
    {
        _length = length;
        Width = layers.Select(layer => layer.Offset).Append(length).Append(16).Aggregate(GreatestCommonDivisor);
        long RowOf(int layer) => (layer < layers.Length ? layers[layer].Offset : length) / Width;

        var layerOfRow = new long[length / Width];
        var runs = new List<(long First, long Count)>();        // the terms of each layer on the current level
        for (var layer = 0; layer < layers.Length; layer++)
        {
            var (first, end) = (RowOf(layer), RowOf(layer + 1));
            layerOfRow.AsSpan((int)first, (int)(end - first)).Fill(layer);
            runs.Add((first, end - first));
        }

        using var scope = NewDisposeScope();
        _layerOfRow = tensor(layerOfRow, device: device).DetachFromDisposeScope();
        var levels = ImmutableArray.CreateBuilder<Tensor>();
        var (terms, done) = (layerOfRow.LongLength, false);
        while (!done)
        {
            done = runs.All(run => run.Count <= Fan);
            var (level, next) = Level(runs, terms);
            levels.Add(tensor(level, device: device).DetachFromDisposeScope());
            (runs, terms) = (next, level.GetLength(0));
        }

        _levels = levels.ToImmutable();
    }

    /// <summary>Elements of a row; every layer's offset is a multiple of it.</summary>
    public long Width { get; }

    /// <summary>A flat vector [≥ length] as [rows, width]; a view.</summary>
    public Tensor Of(Tensor flat) => flat.narrow(0, 0, _length).view(-1, Width);

    /// <summary>One number for each layer, [layers], as one for each row, [rows, 1].</summary>
    public Tensor Spread(Tensor perLayer) => perLayer.index_select(0, _layerOfRow).unsqueeze(1);

    /// <summary>Σ z² of each layer, [layers] float64, for z as <see cref="Of"/> gives it.</summary>
    public Tensor SumsOfSquares(Tensor rows)
    {
        var sums = rows.square().sum(1, type: ScalarType.Float64);
        foreach (var level in _levels)
        {
            using var zero = sums.new_zeros(1);                 // What the table's empty places point to.
            sums = cat([sums, zero]).index_select(0, level.flatten()).view(level.shape).sum(1);
        }

        return sums;
    }

    /// <summary>The next level: each run of terms cut into sums of at most <see cref="Fan"/>, places left over pointing one past the last term.</summary>
    private static (long[,] Level, List<(long First, long Count)> Next) Level(List<(long First, long Count)> runs, long terms)
    {
        var fan = Math.Max(1, Math.Min(Fan, runs.Max(run => run.Count)));
        var next = new List<(long First, long Count)>();
        foreach (var (_, count) in runs)
        {
            var first = next.Count == 0 ? 0 : next[^1].First + next[^1].Count;
            next.Add((first, Math.Max(1, (count + fan - 1) / fan))); // An empty layer has one sum of nothing.
        }

        var level = new long[next[^1].First + next[^1].Count, fan];
        for (var run = 0; run < runs.Count; run++)
        {
            for (var i = 0L; i < next[run].Count * fan; i++)
            {
                level[next[run].First + i / fan, i % fan] = i < runs[run].Count ? runs[run].First + i : terms;
            }
        }

        return (level, next);
    }

    private static long GreatestCommonDivisor(long a, long b) => b == 0 ? a : GreatestCommonDivisor(b, a % b);

    public void Dispose()
    {
        _layerOfRow.Dispose();
        foreach (var level in _levels) { level.Dispose(); }
    }
}
