using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Optimizers;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Methods.Lamb;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods;

internal static class OptimizerFactory
{
    /// <summary>The optimiser that a spec asks for, with its moments at zero.</summary>
    /// <param name="device">Where θ and the moments lie.</param>
    /// <param name="threads">On a CPU; the result does not depend on it.</param>
    /// <exception cref="Contracts.BadInputException">The spec names a tensor that the model does not have.</exception>
    public static IOptimizer Create(OptimizerSpec spec, Layout layout, Device device, int threads = 1) => spec.Kind switch
    {
        OptimizerKind.Lamb => new LambOptimizer(spec, layout, device, threads),
        OptimizerKind.Lars => new LarsOptimizer(spec, layout, device, threads),
        OptimizerKind.AdamW or OptimizerKind.Adam => new AdamW(spec, layout, device, threads),
        OptimizerKind.Sgd => new Sgd(spec, layout, device, threads),
        _ => throw new ArgumentOutOfRangeException(nameof(spec), spec.Kind, "not an optimiser"),
    };

    /// <summary>The same, for a method that updates its layers one by one.</summary>
    /// <exception cref="ArgumentException">The spec was not checked: it asks for a rule that is not element-wise.</exception>
    public static IElementwiseOptimizer CreateElementwise(OptimizerSpec spec, Layout layout, Device device, int threads = 1) =>
        Create(spec, layout, device, threads) as IElementwiseOptimizer ?? throw new ArgumentException($"{spec.Kind} does not update layers one by one", nameof(spec));
}
