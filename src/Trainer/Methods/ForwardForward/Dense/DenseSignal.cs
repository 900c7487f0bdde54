using System.Collections.Immutable;
using Cluster.Trainer.Core.State;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Dense;

/// <summary>What a leaf of n samples brings to a layer from below.</summary>
/// <param name="X">x̂, positive samples and then negative ones, [2n, d].</param>
/// <param name="Lead">Σ g⁺ - g⁻ over the layers below that vote, [n].</param>
/// <param name="Neutral">x̂ of the samples without their label, [n, d]; null where there is no read-out.</param>
/// <param name="Read">What the read-out is to see of the layers below, [n, u] each.</param>
/// <param name="Classes">For the read-out, [n], int64; null where there is none.</param>
internal sealed record DenseSignal(Tensor X, Tensor Lead, Tensor? Neutral, ImmutableArray<Tensor> Read, Tensor? Classes)
{
    /// <summary>Floats of the signal to a layer.</summary>
    public static long Length(DenseNet net, int layer, int samples) => Places(net, layer, samples).Length;

    /// <param name="from">As <see cref="Write"/> has left it.</param>
    public static DenseSignal From(FlatBuffer from, DenseNet net, int layer, int samples, Device device)
    {
        var tensors = Places(net, layer, samples).Segments.Select(segment => from.View(segment).to(device)).ToArray();
        return net.Classes == 0
            ? new(tensors[0], tensors[1], null, [], null)
            : new(tensors[0], tensors[1], tensors[2], [.. tensors[4..]], tensors[3].to(ScalarType.Int64));
    }

    public void Write(FlatBuffer to, DenseNet net, int layer)
    {
        Tensor[] tensors = Neutral is null ? [X, Lead] : [X, Lead, Neutral, Classes!.to(ScalarType.Float32), .. Read];
        foreach (var (segment, tensor) in Places(net, layer, (int)Lead.shape[0]).Segments.Zip(tensors)) { to.View(segment).copy_(tensor); }
    }

    /// <summary>Each tensor begins where a new one would, on a boundary of 64 bytes: the bits of a product may depend on it.</summary>
    private static Layout Places(DenseNet net, int layer, int samples)
    {
        var width = net.FanIns[layer];
        var tensors = new List<(string, ImmutableArray<long>, SegmentRole)>
        {
            ("x", [2L * samples, width], SegmentRole.Parameter),
            ("lead", [samples], SegmentRole.Parameter),
        };
        if (net.Classes > 0)
        {
            tensors.Add(("neutral", [samples, width], SegmentRole.Parameter));
            tensors.Add(("classes", [samples], SegmentRole.Parameter));
            foreach (var below in net.Read.Where(l => l < layer)) { tensors.Add(($"read.{below}", [samples, net.Widths[below]], SegmentRole.Parameter)); }
        }

        return new Layout(tensors);
    }
}
