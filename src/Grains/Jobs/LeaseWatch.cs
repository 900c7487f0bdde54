namespace Cluster.Grains.Jobs;

/// <summary>
/// How long each worker has been silent, in time that this process lived through: when the silo itself was stopped or
/// starved, that is nobody's silence, and unreachable workers are not dead ones.
/// </summary>
/// <param name="period">Between two calls of <see cref="Tick"/>; a step that took longer than twice that counts for no more.</param>
internal sealed class LeaseWatch(TimeProvider clock, TimeSpan period)
{
    private readonly Dictionary<string, TimeSpan> _heardAt = [];
    private TimeSpan _lived;
    private long _tickedAt = clock.GetTimestamp();

    private TimeSpan Now => _lived + Step;

    private TimeSpan Step => clock.GetElapsedTime(_tickedAt) is var elapsed && elapsed < period * 2 ? elapsed : period * 2;

    public void Hear(string workerId) => _heardAt[workerId] = Now;

    /// <summary>To be called once a period while anybody is watched.</summary>
    public void Tick()
    {
        _lived = Now;
        _tickedAt = clock.GetTimestamp();
    }

    /// <summary>Whether the worker has been silent for so long; one that was never heard of counts as heard when first asked for.</summary>
    public bool IsSilent(string workerId, TimeSpan lease)
    {
        if (_heardAt.TryGetValue(workerId, out var heardAt))
        {
            return Now - heardAt > lease;
        }

        Hear(workerId);
        return false;
    }

    /// <summary>Forgets everybody else.</summary>
    public void Keep(IReadOnlySet<string> workerIds)
    {
        foreach (var id in _heardAt.Keys.Where(id => !workerIds.Contains(id)))
        {
            _heardAt.Remove(id);
        }
    }
}
