using Cluster.Trainer.Core.State;

namespace Cluster.Trainer.Core.Collectives;

/// <summary>
/// Memory of the host through which buffers of a GPU reach the sockets. Buffers on the CPU are used in place. Staging memory is
/// kept between calls, by slot.
/// </summary>
internal sealed unsafe class HostStaging : IDisposable
{
    private readonly Dictionary<int, FlatBuffer> _slots = [];

    /// <summary>The numbers of <paramref name="buffer"/>, to be read.</summary>
    public float* Read(int slot, FlatBuffer buffer)
    {
        if (buffer.IsOnCpu) { return buffer.Pointer; }
        var stage = Slot(slot, buffer.Length);
        stage.CopyFrom(buffer);
        return stage.Pointer;
    }

    /// <summary>Where to write the numbers of <paramref name="buffer"/>; call <see cref="Finish"/> after that.</summary>
    public float* Write(int slot, FlatBuffer buffer) => buffer.IsOnCpu ? buffer.Pointer : Slot(slot, buffer.Length).Pointer;

    public void Finish(int slot, FlatBuffer buffer)
    {
        if (!buffer.IsOnCpu) { buffer.CopyFrom(_slots[slot]); }
    }

    private FlatBuffer Slot(int slot, long length)
    {
        if (_slots.TryGetValue(slot, out var stage) && stage.Length == length) { return stage; }
        stage?.Dispose();
        return _slots[slot] = new FlatBuffer(length);
    }

    public void Dispose()
    {
        foreach (var stage in _slots.Values) { stage.Dispose(); }
        _slots.Clear();
    }
}
