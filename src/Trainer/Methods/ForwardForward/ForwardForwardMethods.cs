using Cluster.Contracts.Spec;
using Cluster.Trainer.Methods.ForwardForward.Dense;
using Cluster.Trainer.Methods.ForwardForward.Graph;
using Cluster.Trainer.Methods.ForwardForward.Physical;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods.ForwardForward;

/// <summary>The three kinds of layer-local learning.</summary>
internal static class ForwardForwardMethods
{
    /// <exception cref="Contracts.BadInputException">The data are missing or damaged, or the kind does not run on the device.</exception>
    public static IRoundMethod Create(JobSpec spec, IReadOnlyList<string> dataRoots, Device device) => spec.ForwardForward switch
    {
        ForwardForwardSpec.Dense dense => new DenseForwardForward(spec, dense, dataRoots, device),
        ForwardForwardSpec.Graph graph => new GraphForwardForward(spec, graph, dataRoots, device),
        ForwardForwardSpec.Physical physical => new PhysicalForwardForward(spec, physical, dataRoots, device),
        _ => throw new ArgumentOutOfRangeException(nameof(spec), spec.ForwardForward, "no such kind of forward-forward learning"),
    };
}
