using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Data;

namespace Cluster.Trainer.Methods.FedHyper;

/// <summary>Which clients take part in a round: a pure function of seed and round, the same after any restart.</summary>
internal static class Cohort
{
    /// <summary>Without replacement, all equally likely; ascending, which is the order of the round's leaves.</summary>
    public static int[] Of(long seed, long round, int clients, int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, clients);
        var order = new Permutation(Seeds.Derive(seed, SeedPurpose.ClientSampling, round), clients);
        return [.. Enumerable.Range(0, count).Select(place => (int)order[place]).Order()];
    }
}
