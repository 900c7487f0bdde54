namespace Cluster.Trainer.Rounds;

/// <summary>Where a round's time went on this rank. For people: nothing is decided by it.</summary>
/// <param name="Compute">The rank's own leaves.</param>
/// <param name="Wait">From there until all ranks' headers are here, and where somebody was missing, kept: the slowest rank's lead, and for a site.</param>
/// <param name="Reduce">
/// The sum of all ranks' vectors; where it is begun while leaves are computed, what of it comes after them, with the slowest rank's lead.
/// </param>
/// <param name="Update">The step on the state.</param>
/// <remarks>
/// Where layers are shared out, ranks meet once in a stretch of rounds: each round is told the mean of the stretch, the steps on the
/// layers are part of <paramref name="Compute"/>, and <paramref name="Reduce"/> is the exchange of the layers' states.
/// </remarks>
internal readonly record struct RoundTimes(TimeSpan Compute, TimeSpan Wait, TimeSpan Reduce, TimeSpan Update)
{
    public TimeSpan Total => Compute + Wait + Reduce + Update;
}

/// <summary>Measures what follows one another without a gap.</summary>
internal struct Laps(TimeProvider time)
{
    private long _at = time.GetTimestamp();

    /// <summary>Since the last call, or since the beginning.</summary>
    public TimeSpan Next()
    {
        var now = time.GetTimestamp();
        var lap = time.GetElapsedTime(_at, now);
        _at = now;
        return lap;
    }
}
