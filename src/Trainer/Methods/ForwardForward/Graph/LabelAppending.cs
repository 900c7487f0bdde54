using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward.Graph;

/// <summary>
/// FF-LA (ForwardGNN Eq. 4): the label is appended to the features of the first layer.
/// <code>
///   x̂_i = [x_i | l_i] / |[x_i | l_i]|      l_i one-hot where node i has a label, 1/K everywhere where not
/// </code>
/// The length of l_i does not depend on the label, so the labellings differ in K columns alone: x̂ = base + mix · [0 | I].
/// </summary>
internal sealed class LabelAppending(NodeTask task, IReadOnlyList<GraphLayer> layers, Contrast contrast, KnownLabels known)
    : ContrastiveNodes(task, layers, contrast, known)
{
    private const double Epsilon = 1e-8;

    protected override LabelledGraphs Label(IReadOnlyList<(int Node, int Label)[]> labellings)
    {
        var (n, k, type) = (Task.Nodes, Task.Classes, Task.Features.dtype);
        using var codes = TensorNumbers.Filled(1.0 / k, [labellings.Count, n, k], ScalarType.Float64); // l, [S, N, K]
        var elements = TensorMemory.Elements<double>(codes);
        for (var s = 0; s < labellings.Count; s++)
        {
            foreach (var (node, label) in labellings[s])
            {
                var row = elements.Slice((s * n + node) * k, k);
                row.Clear();
                row[label] = 1;
            }
        }

        var length = Task.Features.to(ScalarType.Float64).Squared().sum(1).Plus(codes[0].Squared().sum(1)).sqrt().Plus(Epsilon).unsqueeze(1); // [N, 1]
        return new LabelledGraphs([Task.Real], new InputRows(
            cat([(Task.Features.to(ScalarType.Float64) / length).to(type), zeros(n, k, dtype: type)], 1),
            (codes / length).to(type),
            cat([zeros(k, Task.Inputs, dtype: type), eye(k, dtype: type)], 1)));
    }
}
