using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>The tensors of one graph layer with d inputs and h outputs, or their gradients.</summary>
/// <param name="Weight">W: [d, h] of gcn and gat, [2d, h] of sage, whose upper half is for the neighbours and whose lower half is for the node itself.</param>
/// <param name="Bias">b, [h].</param>
/// <param name="Source">Of gat: a_source, [heads, h / heads].</param>
/// <param name="Target">Of gat: a_target, [heads, h / heads].</param>
internal sealed record LayerTensors(Tensor Weight, Tensor Bias, Tensor? Source = null, Tensor? Target = null)
{
    public IEnumerable<Tensor> All => Source is null ? [Weight, Bias] : [Weight, Bias, Source, Target!];
}
