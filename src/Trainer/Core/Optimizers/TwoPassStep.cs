using System.Collections.Immutable;

namespace Cluster.Trainer.Core.Optimizers;

/// <summary>
/// The arithmetic of a layer-wise update: what is measured on a layer before any of it may be written, and how it is then
/// written. Implementations touch only the elements of the piece they are given.
/// </summary>
internal interface ILayerwiseRule
{
    /// <summary>Pass 1: the sums of squares under the two norms of the ratio, over one piece.</summary>
    (double First, double Second) Measure(int layer, Piece piece);

    /// <summary>The factor of a layer, from its two norms.</summary>
    double Ratio(int layer, double first, double second);

    /// <summary>Pass 2: writes the parameters of one piece, from its last element to its first.</summary>
    void Apply(int layer, Piece piece, double ratio);
}

/// <summary>The two norms of a layer and the ratio formed from them.</summary>
internal readonly record struct LayerNorms(double First, double Second, double Ratio);

/// <summary>
/// Runs a layer-wise rule over the flat buffer at as little memory traffic as two passes allow.
/// </summary>
/// <remarks>
/// <para>A layer's parameters may be written only when its norms are known, so some of its data are needed twice. Each layer is
/// finished before the next begins, and its second pass walks backwards: what the first pass touched last is still in cache.
/// Rules walk a piece backwards element by element too. The processor's prefetchers follow a descending stream, but lose one
/// that jumps back after every piece: on layers larger than the cache that cost a sixth of the speed.</para>
/// <para>A small layer is one thread's work, in that core's own cache; all threads share a large one.</para>
/// </remarks>
internal sealed class TwoPassStep
{
    /// <summary>In elements: 256 KB of float32 in each buffer, so that the two buffers of the second pass fit into a core's second-level cache.</summary>
    private const long Small = 65536;

    private readonly int _threads;
    private readonly ImmutableArray<Piece>[] _pieces;
    private readonly (double First, double Second)[][] _sums;
    private readonly LayerNorms[] _norms;
    private readonly int[] _small;
    private readonly int[] _large;

    public TwoPassStep(ImmutableArray<Layer> layers, int threads)
    {
        _threads = threads;
        _pieces = [.. layers.Select(layer => Blocks.Cut(layer.Offset, layer.Length))];
        _sums = [.. _pieces.Select(pieces => new (double, double)[pieces.Length])];
        _norms = new LayerNorms[layers.Length];
        var indices = Enumerable.Range(0, layers.Length).ToLookup(i => layers[i].Length <= Small);
        _small = [.. indices[true]];
        _large = [.. indices[false]];
    }

    /// <summary>By layer, of the last run.</summary>
    public ReadOnlySpan<LayerNorms> Norms => _norms;

    public void Run(ILayerwiseRule rule)
    {
        foreach (var layer in _large) { Run(rule, layer, _threads); }
        Blocks.ForEach(_small.Length, _threads, i => Run(rule, _small[i], threads: 1), grain: 1);
    }

    private void Run(ILayerwiseRule rule, int layer, int threads)
    {
        var (pieces, sums) = (_pieces[layer], _sums[layer]);
        Blocks.ForEach(pieces.Length, threads, i => sums[i] = rule.Measure(layer, pieces[i]));

        var (first, second) = (0.0, 0.0);
        foreach (var sum in sums)
        {
            first += sum.First;
            second += sum.Second;
        }

        var (firstNorm, secondNorm) = (Math.Sqrt(first), Math.Sqrt(second));
        var ratio = rule.Ratio(layer, firstNorm, secondNorm);
        _norms[layer] = new(firstNorm, secondNorm, ratio);
        Blocks.ForEach(pieces.Length, threads, i => rule.Apply(layer, pieces[^(i + 1)], ratio));
    }
}
