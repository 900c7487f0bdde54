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
/// <para>The step is one list of chunks that threads claim in order. A small layer is one chunk, in one core's own cache; a large
/// one is several for each pass. A thread that claims a chunk of the second pass waits for the chunks of the first that others
/// still work on. Those are claimed already, so the wait is short, and it ends however many threads there really are.</para>
/// </remarks>
internal sealed class TwoPassStep
{
    /// <summary>In elements: 256 KB of float32 in each buffer, so that the two buffers of the second pass fit into a core's second-level cache.</summary>
    private const long Small = 65536;

    /// <summary>Pieces in a chunk of a large layer: long enough runs for the prefetchers, short enough to wait for.</summary>
    private const int Grain = 4;

    private readonly int _threads;
    private readonly ImmutableArray<Chunk> _chunks;
    private readonly LayerWork[] _layers;
    private readonly LayerNorms[] _norms;

    public TwoPassStep(ImmutableArray<Layer> layers, int threads)
    {
        _threads = threads;
        _layers = [.. layers.Select(layer => new LayerWork(Blocks.Cut(layer.Offset, layer.Length)))];
        _norms = new LayerNorms[layers.Length];
        _chunks = [.. Enumerable.Range(0, layers.Length).SelectMany(i => Chunks(i, _layers[i].Pieces.Length, layers[i].Length <= Small))];
    }

    /// <summary>By layer, of the last run.</summary>
    public ReadOnlySpan<LayerNorms> Norms => _norms;

    public void Run(ILayerwiseRule rule)
    {
        foreach (var layer in _layers) { layer.Unmeasured = layer.Pieces.Length; }
        Blocks.ForEach(_chunks.Length, _threads, i => Run(rule, _chunks[i]), grain: 1);
    }

    private static IEnumerable<Chunk> Chunks(int layer, int pieces, bool small)
    {
        if (small) { return [new(layer, Pass.Both, 0, pieces)]; }

        var runs = Enumerable.Range(0, (pieces + Grain - 1) / Grain).Select(run => (First: run * Grain, End: Math.Min(pieces, (run + 1) * Grain)));
        return [.. runs.Select(run => new Chunk(layer, Pass.First, run.First, run.End)), .. runs.Reverse().Select(run => new Chunk(layer, Pass.Second, run.First, run.End))];
    }

    private void Run(ILayerwiseRule rule, Chunk chunk)
    {
        var layer = _layers[chunk.Layer];
        if (chunk.Pass != Pass.Second)
        {
            for (var i = chunk.First; i < chunk.End; i++) { layer.Sums[i] = rule.Measure(chunk.Layer, layer.Pieces[i]); }

            var last = Interlocked.Add(ref layer.Unmeasured, chunk.First - chunk.End) == 0;
            if (last) { SetRatio(rule, chunk.Layer); }
            if (chunk.Pass == Pass.First) { return; }
        }

        var wait = default(SpinWait);
        while (Volatile.Read(ref layer.Unmeasured) != LayerWork.Measured) { wait.SpinOnce(sleep1Threshold: -1); }
        for (var i = chunk.End - 1; i >= chunk.First; i--) { rule.Apply(chunk.Layer, layer.Pieces[i], _norms[chunk.Layer].Ratio); }
    }

    /// <summary>By the thread that measured the layer's last piece; partial sums are added in block order all the same.</summary>
    private void SetRatio(ILayerwiseRule rule, int layer)
    {
        var (first, second) = (0.0, 0.0);
        foreach (var sum in _layers[layer].Sums)
        {
            first += sum.First;
            second += sum.Second;
        }

        var (firstNorm, secondNorm) = (Math.Sqrt(first), Math.Sqrt(second));
        _norms[layer] = new(firstNorm, secondNorm, rule.Ratio(layer, firstNorm, secondNorm));
        Volatile.Write(ref _layers[layer].Unmeasured, LayerWork.Measured);
    }

    private enum Pass { First, Second, Both }

    /// <summary>Pieces <paramref name="First"/> to <paramref name="End"/> - 1 of a layer, in one pass or in both.</summary>
    private readonly record struct Chunk(int Layer, Pass Pass, int First, int End);

    private sealed class LayerWork(ImmutableArray<Piece> pieces)
    {
        /// <summary>The value of <see cref="Unmeasured"/> once the ratio stands.</summary>
        public const int Measured = -1;

        public readonly ImmutableArray<Piece> Pieces = pieces;
        public readonly (double First, double Second)[] Sums = new (double, double)[pieces.Length];
        public int Unmeasured;
    }
}
