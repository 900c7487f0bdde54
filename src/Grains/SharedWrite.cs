namespace Cluster.Grains;

/// <summary>
/// The durable state of a grain whose calls interleave: while one write is on its way, changes gather, and the next write
/// takes them all. A thousand callers at once cost two writes.
/// </summary>
/// <param name="giveUp">Called when a write failed: it may or may not have landed, only a reload can tell.</param>
internal sealed class SharedWrite<T>(IPersistentState<T> store, Action giveUp)
{
    private long _changes;
    private long _written;
    private Task _write = Task.CompletedTask;

    /// <summary>The newest state; durable once <see cref="Written"/> has completed.</summary>
    public T State => store.State;

    public void Change(T state)
    {
        store.State = state;
        _changes++;
    }

    /// <summary>Completes when everything changed before this call is durable. Nothing is to be told before.</summary>
    public async Task Written()
    {
        for (var wanted = _changes; _written < wanted;)
        {
            // One that is on its way may have begun before the change.
            _write = _write.IsCompleted ? Write() : _write;
            await _write;
        }
    }

    private async Task Write()
    {
        var taken = _changes;
        try
        {
            await store.WriteStateAsync();
        }
        catch
        {
            giveUp();
            throw;
        }

        _written = taken;
    }
}
