namespace Cluster.Contracts.Spec.Federated;

/// <summary>
/// What a round does without: clients that are late or away. A round invites some more clients than it needs, those past the
/// deadline stop, and all that have reported by then count, if they are enough; a round with too few is skipped. Who was missing is
/// stored before the round is committed, so that a round computed again after a crash is the same round.
/// </summary>
public sealed record ParticipationSpec
{
    /// <summary>A round invites so many times clientsPerRound, rounded up.</summary>
    [AtLeast(1), AtMost(3)]
    public double OverSampling { get; init; } = 1;

    /// <summary>Share of clientsPerRound, rounded up, that must have reported. A client that was left out for its numbers has reported.</summary>
    [Above(0), AtMost(1)]
    public double Quorum { get; init; } = 1;

    /// <summary>
    /// Seconds that a client may take for its local steps, on the clock of the worker that computes it; past that it stops after the step
    /// under way, and is late. Clients that are trained together have it together. Without it nobody is late.
    /// </summary>
    [Above(0), AtMost(86_400)]
    public double? DeadlineSeconds { get; init; }
}
