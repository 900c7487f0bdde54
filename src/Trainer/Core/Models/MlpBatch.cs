using System.Collections.Immutable;
using Cluster.Trainer.Core.State;
using TorchSharp;
using static Cluster.Trainer.Core.Native.TensorNumbers;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Models;

/// <summary>
/// Many networks of one <see cref="Mlp"/>'s shape, computed together: weights and activations have a first axis, the network. Where
/// the networks are small, one call for all of them costs little more than one call for one.
/// <code>
///   N  networks      R  rows: samples of each network      W_l [N, out, in], b_l [N, out]  weights of layer l, views of [N, P]
///
///   forward    h_0 = x [N, R, in];   z_l = h_{l-1}·W_lᵀ + b_l;   h_l = max(z_l, 0)
///   loss       ℓ = -log softmax(z_L)[y] of a row;   of a network Σ_r s_r·ℓ_r, with the rows' shares s
///   backward   d_L = s·(softmax(z_L) - onehot(y));   ∂W_l = d_lᵀ·h_{l-1};   ∂b_l = Σ_r d_l;   d_{l-1} = (d_l·W_l)∘[h_{l-1} > 0]
/// </code>
/// Written out, because a graph of so many small steps would cost more than the steps. A network's numbers are products and sums
/// of its own alone; which kernel computes them may depend on N and R.
/// </summary>
internal sealed class MlpBatch
{
    private readonly ImmutableArray<(Segment Weight, Segment Bias)> _layers;

    /// <param name="layout">Of one network: the flat model of an mlp, whose segments are weight and bias of each layer in turn.</param>
    public MlpBatch(Layout layout)
    {
        _layers = [.. layout.Segments.Chunk(2).Select(pair => pair is [{ Shape.Length: 2 } weight, { Shape.Length: 1 } bias] ? (weight, bias) : throw new ArgumentException("the layout is not that of an mlp", nameof(layout)))];
    }

    /// <summary>Each network's loss, right predictions among the rows that count, and gradient.</summary>
    /// <param name="theta">[N, P], weights of the networks; rows of a larger matrix will do.</param>
    /// <param name="x">[N, R, ...], inputs.</param>
    /// <param name="y">[N, R] int64, classes.</param>
    /// <param name="shares">[N, R], what each row counts: 1/n for a network with n samples, and 0 in rows that only fill up.</param>
    /// <param name="into">[N, P], takes the gradients; padding stays as it is.</param>
    public (float[] Loss, long[] Correct) Gradients(Tensor theta, Tensor x, Tensor y, Tensor shares, Tensor into)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var h = new Tensor[_layers.Length + 1]; // h_0 .. h_L, the last without the maximum: z_L.
        h[0] = x.flatten(2);
        foreach (var (l, (weight, bias)) in _layers.Index())
        {
            h[l + 1] = h[l].bmm(View(theta, weight).transpose(1, 2)).add_(View(theta, bias).unsqueeze(1), One); // [N, R, out]
            if (l + 1 < _layers.Length) { h[l + 1].relu_(); }
        }

        var (s, target) = (shares.unsqueeze(2), y.unsqueeze(2)); // [N, R, 1]
        var logp = h[^1].log_softmax(2);
        var loss = logp.gather(2, target).mul_(s).sum(1).neg_();
        var correct = h[^1].argmax(2).eq(y).logical_and(shares.gt(Number(0))).sum(1);

        var d = logp.exp_().scatter_add_(2, target, full_like(s, Number(-1))).mul_(s);
        for (var l = _layers.Length - 1; l >= 0; l--)
        {
            var (weight, bias) = _layers[l];
            View(into, weight).copy_(d.transpose(1, 2).bmm(h[l]));
            View(into, bias).copy_(d.sum(1));
            if (l > 0) { d = d.bmm(View(theta, weight)).mul_(h[l].sign_()); } // h_l is used no more; max(z, 0) has the sign 0 or 1.
        }

        return (loss.cpu().data<float>().ToArray(), correct.cpu().data<long>().ToArray());
    }

    /// <summary>One segment of every row: [N, ...shape].</summary>
    private static Tensor View(Tensor rows, Segment segment)
    {
        var stride = rows.stride(0);
        return segment.Shape is [var height, var width]
            ? rows.as_strided([rows.shape[0], height, width], [stride, width, 1], rows.storage_offset() + segment.Offset)
            : rows.as_strided([rows.shape[0], segment.Length], [stride, 1], rows.storage_offset() + segment.Offset);
    }
}
