using System.Numerics;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Graphs;
using Cluster.Trainer.Core.Optimizers;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>
/// The edges over which some nodes attend, in compressed rows, and the sums over them. Nothing is made of the size edges × width:
/// one number an edge and head is kept, α.
/// <code>
///   backward, for each edge j to i:   ∂α_ij = ∂Z_i·G_j              ∂e_ij = α_ij (∂α_ij - Σ_k α_ik ∂α_ik)
///                                     ∂G_j += α_ij ∂Z_i             ∂(a_source·G_j), ∂(a_target·G_i) += LeakyReLU'(·) ∂e_ij
/// </code>
/// Rows are summed in the order of their edges; forward shares rows out to threads and backward heads, whose results do not touch.
/// </summary>
internal sealed unsafe class AttentionEdges
{
    private const double NegativeSlope = 0.2;

    private readonly int[] _nodes;   // [R], the node of each row
    private readonly int[] _first;   // [R + 1]
    private readonly int[] _senders; // [edges], each node among its own

    public AttentionEdges(Adjacency graph, IReadOnlyList<int>? rows)
    {
        _nodes = rows is null ? [.. Enumerable.Range(0, graph.Nodes)] : [.. rows];
        _first = new int[_nodes.Length + 1];
        for (var r = 0; r < _nodes.Length; r++) { _first[r + 1] = _first[r] + graph.SendersTo(_nodes[r]).Length + 1; }
        _senders = new int[_first[^1]];
        for (var r = 0; r < _nodes.Length; r++)
        {
            var own = _senders.AsSpan(_first[r], _first[r + 1] - _first[r]);
            graph.SendersTo(_nodes[r]).CopyTo(own);
            own[^1] = _nodes[r];
            own.Sort();
        }
    }

    /// <param name="g">G, [N, h].</param>
    /// <param name="scores">a_source·G and a_target·G, [2, N, heads].</param>
    /// <returns>Σ_j α_ij G_j [R, h] and α [edges, heads].</returns>
    public (Tensor Sums, Tensor Alpha) Forward(Tensor g, Tensor scores, int heads, int threads)
    {
        var sums = zeros(_nodes.Length, g.shape[1], dtype: g.dtype);
        var alpha = TensorMemory.Allocate(g.dtype, _senders.Length, heads);
        if (g.dtype == ScalarType.Float32) { Forward<float>(g, scores, sums, alpha, heads, threads); }
        else { Forward<double>(g, scores, sums, alpha, heads, threads); }
        return (sums, alpha);
    }

    /// <summary>Adds to <paramref name="byG"/> [N, h] and <paramref name="byScores"/> [2, N, heads].</summary>
    /// <param name="byZ">∂L/∂Z, [R, h].</param>
    public void Backward(Tensor g, Tensor scores, Tensor alpha, Tensor byZ, Tensor byG, Tensor byScores, int heads, int threads)
    {
        if (g.dtype == ScalarType.Float32) { Backward<float>(g, scores, alpha, byZ, byG, byScores, heads, threads); }
        else { Backward<double>(g, scores, alpha, byZ, byG, byScores, heads, threads); }
    }

    private void Forward<T>(Tensor gs, Tensor scores, Tensor sums, Tensor alphas, int heads, int threads) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (h, width) = ((int)gs.shape[1], (int)gs.shape[1] / heads);
        var source = TensorMemory.Pointer<T>(scores);
        var target = source + gs.shape[0] * heads;
        var g = TensorMemory.Pointer<T>(gs);
        var sum = TensorMemory.Pointer<T>(sums);
        var alpha = TensorMemory.Pointer<T>(alphas);
        Blocks.ForEach(_nodes.Length, threads, row =>
        {
            for (var head = 0; head < heads; head++)
            {
                Softmax(row, head, heads, source, target, alpha);
                for (var edge = _first[row]; edge < _first[row + 1]; edge++)
                {
                    RowKernels.AddScaled(alpha[edge * heads + head], g + (long)_senders[edge] * h + head * width, sum + (long)row * h + head * width, width);
                }
            }
        });
    }

    private void Softmax<T>(int row, int head, int heads, T* source, T* target, T* alpha) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var largest = T.NegativeInfinity;
        for (var edge = _first[row]; edge < _first[row + 1]; edge++)
        {
            var score = source[_senders[edge] * heads + head] + target[_nodes[row] * heads + head];
            alpha[edge * heads + head] = score > T.Zero ? score : score * T.CreateTruncating(NegativeSlope);
            largest = T.Max(largest, alpha[edge * heads + head]);
        }

        var total = T.Zero;
        for (var edge = _first[row]; edge < _first[row + 1]; edge++) { total += alpha[edge * heads + head] = T.Exp(alpha[edge * heads + head] - largest); }
        for (var edge = _first[row]; edge < _first[row + 1]; edge++) { alpha[edge * heads + head] /= total; }
    }

    private void Backward<T>(Tensor gs, Tensor scores, Tensor alphas, Tensor byZs, Tensor byGs, Tensor byScores, int heads, int threads) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (h, width) = ((int)gs.shape[1], (int)gs.shape[1] / heads);
        var source = TensorMemory.Pointer<T>(scores);
        var target = source + gs.shape[0] * heads;
        var bySource = TensorMemory.Pointer<T>(byScores);
        var byTarget = bySource + gs.shape[0] * heads;
        var g = TensorMemory.Pointer<T>(gs);
        var alpha = TensorMemory.Pointer<T>(alphas);
        var byZ = TensorMemory.Pointer<T>(byZs);
        var byG = TensorMemory.Pointer<T>(byGs);
        var longest = Enumerable.Range(0, _nodes.Length).Max(row => _first[row + 1] - _first[row]);
        Blocks.ForEach(heads, threads, head =>
        {
            var byAlpha = new T[longest];
            for (var row = 0; row < _nodes.Length; row++)
            {
                var outer = byZ + (long)row * h + head * width;
                var mean = T.Zero; // Σ_k α_ik ∂α_ik
                for (var edge = _first[row]; edge < _first[row + 1]; edge++)
                {
                    var sender = (long)_senders[edge] * h + head * width;
                    var a = alpha[edge * heads + head];
                    byAlpha[edge - _first[row]] = RowKernels.Dot(outer, g + sender, width);
                    mean += a * byAlpha[edge - _first[row]];
                    RowKernels.AddScaled(a, outer, byG + sender, width);
                }

                for (var edge = _first[row]; edge < _first[row + 1]; edge++)
                {
                    var (from, to) = (_senders[edge] * heads + head, _nodes[row] * heads + head);
                    var byScore = alpha[edge * heads + head] * (byAlpha[edge - _first[row]] - mean);
                    if (source[from] + target[to] <= T.Zero) { byScore *= T.CreateTruncating(NegativeSlope); }
                    bySource[from] += byScore;
                    byTarget[to] += byScore;
                }
            }
        }, grain: 1);
    }
}
