using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Core.Models;

/// <summary>
/// A backward pass that is run piece by piece, from the last layers to the first, so that what is done with the gradients of the last ones can
/// begin before those of the first ones are there. The same operations in the same order as in one piece, so the same bits.
/// </summary>
/// <remarks>
/// libtorch has no hook for it that TorchSharp could set. So the forward pass cuts the graph where it is asked to: what lies above a cut begins
/// with a copy of the activation that shares its memory, and collects the gradient there, which then goes on below. One forward pass; the thread
/// that made it.
/// </remarks>
internal sealed class SegmentedBackward
{
    private readonly List<(Tensor Below, Tensor Above, nn.Module Layer)> _cuts = [];

    /// <summary>Cuts the graph at the input of a layer.</summary>
    /// <param name="input">The one path from the layers below to those from here on.</param>
    /// <returns>The input for the layer.</returns>
    public Tensor Cut(Tensor input, nn.Module layer)
    {
        if (!input.requires_grad) { return input; } // Data: nothing below learns.
        var above = input.detach().requires_grad_().MoveToOuterDisposeScope();
        _cuts.Add((input.MoveToOuterDisposeScope(), above, layer));
        return above;
    }

    /// <summary>The whole pass.</summary>
    /// <param name="finished">
    /// Called after each piece but the last: the gradients of the layer, and of all that came after it in the forward pass and is used nowhere
    /// before it, are final.
    /// </param>
    public void Run(Tensor loss, Action<nn.Module> finished)
    {
        loss.backward();
        for (var i = _cuts.Count - 1; i >= 0; i--)
        {
            var (below, above, layer) = _cuts[i];
            finished(layer);
            using var gradient = above.grad!;
            below.backward([gradient]);
            below.Dispose(); // What backward still held of it goes here, as it would in one piece.
            above.Dispose();
        }
    }
}
