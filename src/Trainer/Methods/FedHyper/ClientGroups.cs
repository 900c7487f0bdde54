using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Federated;

namespace Cluster.Trainer.Methods.FedHyper;

/// <summary>
/// How many clients of a round are trained together. It is part of the answer (sums are rounded otherwise), so it follows from spec and
/// shapes and never from a clock; the numbers were chosen by the measurement in docs/records.
/// </summary>
internal static class ClientGroups
{
    private const int Size = 8;

    private const long MostParameters = 150_000;

    /// <param name="parameters">Of the model.</param>
    /// <returns>1: one by one.</returns>
    public static int SizeFor(JobSpec spec, long parameters)
    {
        var federated = spec.Federated!;
        var size = federated.ClientsTogether ?? (FederatedSpec.CanTrainTogether(spec) && parameters <= MostParameters ? Size : 1);
        return Math.Min(size, federated.ClientsPerRound);
    }
}
