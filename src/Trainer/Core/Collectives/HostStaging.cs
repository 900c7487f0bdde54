using Cluster.Trainer.Core.State;

namespace Cluster.Trainer.Core.Collectives;

/// <summary>
/// Stands in for buffers that a transport cannot use where they lie (on a GPU, or not shared with the peers), with memory that
/// it can. Staging memory is kept between calls, by slot.
/// </summary>
/// <param name="isUsable">Whether a buffer is used in place.</param>
/// <param name="allocate">A usable buffer of so many elements.</param>
internal sealed class HostStaging(Func<FlatBuffer, bool> isUsable, Func<long, FlatBuffer> allocate) : IDisposable
{
    private readonly Dictionary<int, FlatBuffer> _slots = [];

    /// <summary>The numbers of <paramref name="buffer"/>, to be read.</summary>
    public FlatBuffer Read(int slot, FlatBuffer buffer) => Read(slot, buffer, buffer.Whole);

    /// <summary>The numbers of a part of <paramref name="buffer"/>, in their places; what lies outside of the part is anything.</summary>
    public FlatBuffer Read(int slot, FlatBuffer buffer, FlatRange part)
    {
        if (isUsable(buffer)) { return buffer; }
        var stage = Slot(slot, buffer.Length);
        stage.CopyFrom(buffer, part);
        return stage;
    }

    /// <summary>Where to write the numbers of <paramref name="buffer"/>; call <see cref="Finish"/> after that.</summary>
    public FlatBuffer Write(int slot, FlatBuffer buffer) => isUsable(buffer) ? buffer : Slot(slot, buffer.Length);

    public void Finish(int slot, FlatBuffer buffer) => Finish(slot, buffer, buffer.Whole);

    public void Finish(int slot, FlatBuffer buffer, FlatRange part)
    {
        if (!isUsable(buffer)) { buffer.CopyFrom(_slots[slot], part); }
    }

    private FlatBuffer Slot(int slot, long length)
    {
        if (_slots.TryGetValue(slot, out var stage) && stage.Length == length) { return stage; }
        stage?.Dispose();
        return _slots[slot] = allocate(length);
    }

    public void Dispose()
    {
        foreach (var stage in _slots.Values) { stage.Dispose(); }
        _slots.Clear();
    }
}
