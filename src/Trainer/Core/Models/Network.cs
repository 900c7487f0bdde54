using Cluster.Trainer.Core.Data;
using TorchSharp;
using static Cluster.Trainer.Core.Native.TensorNumbers;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Models;

/// <summary>
/// A model's layers. <c>forward</c> takes inputs [n, ...InputShape] (float32) or tokens [n, T] (int64) and gives logits,
/// [n, classes] or [n, T, classes]. What is learnt of them is cross-entropy, unless a network says otherwise.
/// </summary>
/// <remarks>
/// Fields of modules and parameters carry no underscore: their names are the names of the segments in the layout and in a
/// checkpoint. A module's parts run their own dispose scope, so that an activation that the backward pass does not need is
/// freed inside the forward pass, as it would be by reference counting.
/// </remarks>
internal abstract class Network(string name) : nn.Module<Tensor, Tensor>(name)
{
    /// <summary>Where not null, the forward pass cuts its graph for it.</summary>
    public SegmentedBackward? Segments { get; set; }

    /// <summary><c>forward</c> in a dispose scope: of its tensors only the logits live on, in the scope outside.</summary>
    public Tensor Logits(Tensor inputs)
    {
        using var scope = NewDisposeScope();
        return forward(inputs).MoveToOuterDisposeScope();
    }

    /// <summary>The loss of a batch: a sum, so that leaves add up, and whoever has the whole round divides by the weight. Without targets it is 0.</summary>
    /// <param name="logits">Row by row, float32: [n, classes], or [n · T, classes].</param>
    public virtual Tensor SummedLoss(Tensor logits, Batch batch) =>
        nn.functional.cross_entropy(logits, batch.Targets.view(-1), ignore_index: Batch.NoTarget, reduction: nn.Reduction.Sum);

    /// <summary>
    /// A layer's output, with the graph cut at its input where that is wanted. Layers that are called so are fields in the order of the calls,
    /// after whatever is used before them; nothing but the input leads from those before to those after.
    /// </summary>
    protected Tensor Forward(nn.Module<Tensor, Tensor> layer, Tensor input) => layer.forward(Segments?.Cut(input, layer) ?? input);

    /// <summary>The scalars of a batch.</summary>
    /// <param name="loss">Of <see cref="SummedLoss"/>.</param>
    public virtual Tally Score(Tensor logits, Tensor loss, Batch batch)
    {
        var targets = batch.Targets.view(-1);
        var counted = targets.ne(Number(Batch.NoTarget)).sum();
        var correct = logits.argmax(-1).eq(targets).sum(); // NoTarget is no class, so it is never the largest.
        return new(batch.Samples, counted.item<long>(), loss.item<float>(), correct.item<long>(), Leaves: 1);
    }
}
