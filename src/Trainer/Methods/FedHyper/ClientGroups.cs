using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Federated;

namespace Cluster.Trainer.Methods.FedHyper;

/// <summary>
/// How many clients of a round are trained together. It is part of the answer (sums are rounded otherwise), so it follows from spec and
/// shapes and never from a clock. Measured (docs/records/2026-11-28_federated-clients): from 2.4 times as fast with 51,000 parameters to 3.5
/// times with 13,000, 1.7 times with 102,000, and no faster with 204,000.
/// </summary>
internal static class ClientGroups
{
    /// <summary>Larger groups are hardly faster, and where two workers share one, both compute it.</summary>
    private const int Size = 8;

    private const long MostParameters = 150_000;

    /// <param name="parameters">Of the model.</param>
    /// <returns>1: one by one.</returns>
    public static int SizeFor(JobSpec spec, long parameters)
    {
        var federated = spec.Federated!;
        var size = federated.ClientsTogether ?? (FederatedSpec.CanTrainTogether(spec) && parameters <= MostParameters ? Size : 1);
        return Math.Min(size, federated.Invited);
    }
}
