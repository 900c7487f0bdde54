using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Data.Clients;
using Cluster.Trainer.Methods.Continual;
using Cluster.Trainer.Methods.FedHyper;
using Cluster.Trainer.Methods.ForwardForward;
using Cluster.Trainer.Methods.Lamb;
using static TorchSharp.torch;

namespace Cluster.Trainer.Methods;

/// <summary>The one place that knows all methods.</summary>
internal static class TrainingMethods
{
    /// <param name="dataRoots">Folders in which relative data paths are looked for, in order.</param>
    /// <param name="site">Where this process runs, if at one.</param>
    /// <exception cref="Contracts.BadInputException">The data are missing or damaged, or do not fit the model.</exception>
    public static IRoundMethod Create(JobSpec spec, IReadOnlyList<string> dataRoots, Device device, SiteFolder? site = null) => spec.Method switch
    {
        TrainingMethod.Lamb => new LargeBatchMethod(spec, dataRoots, device),
        TrainingMethod.Continual => new ContinualMethod(spec, dataRoots, device),
        TrainingMethod.FedHyper => new FederatedMethod(spec, dataRoots, device, site),
        TrainingMethod.ForwardForward => ForwardForwardMethods.Create(spec, dataRoots, device),
        _ => throw new ArgumentOutOfRangeException(nameof(spec), spec.Method, "unknown method"),
    };
}
