using Cluster.Contracts.Spec.Federated;

namespace Cluster.Trainer.Methods.FedHyper;

/// <summary>
/// How long a client may take, from now. The one place where a clock has a say in a round; what it said is stored before the round is
/// committed, and not asked again.
/// </summary>
internal readonly struct Deadline(TimeProvider clock, TimeSpan? limit)
{
    private readonly long _began = clock.GetTimestamp();

    public static Deadline Of(FederatedSpec spec, Leaf leaf, TimeProvider clock) => new(clock, leaf.HasDeadline ? spec.Deadline : null);

    public bool IsOver => limit is { } allowed && clock.GetElapsedTime(_began) > allowed;
}
