using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Models;

/// <summary>
/// A model's layers. <c>forward</c> takes inputs [n, ...InputShape] (float32) or tokens [n, T] (int64) and gives logits,
/// [n, classes] or [n, T, classes].
/// </summary>
/// <remarks>
/// Fields of modules and parameters carry no underscore: their names are the names of the segments in the layout and in a
/// checkpoint. A module's parts run their own dispose scope, so that an activation that the backward pass does not need is
/// freed inside the forward pass, as it would be by reference counting.
/// </remarks>
internal abstract class Network(string name) : nn.Module<Tensor, Tensor>(name)
{
    /// <summary><c>forward</c> in a dispose scope: of its tensors only the logits live on, in the scope outside.</summary>
    public Tensor Logits(Tensor inputs)
    {
        using var scope = NewDisposeScope();
        return forward(inputs).MoveToOuterDisposeScope();
    }
}
