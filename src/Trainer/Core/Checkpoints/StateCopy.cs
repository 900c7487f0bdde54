using System.Collections.Immutable;
using Cluster.Trainer.Core.State;

namespace Cluster.Trainer.Core.Checkpoints;

/// <summary>CPU memory for one copy of a method's state, used again for every snapshot.</summary>
internal sealed class StateCopy(MethodState shape) : IDisposable
{
    private readonly ImmutableArray<(string Name, FlatBuffer Buffer)> _buffers =
        [.. shape.Buffers.Select(b => (b.Name, new FlatBuffer(b.Buffer.Length)))];

    /// <summary>The state as it is now. It holds until the next call.</summary>
    public MethodState Take(MethodState source)
    {
        foreach (var ((_, target), (_, buffer)) in _buffers.Zip(source.Buffers)) { target.CopyFrom(buffer); }
        return new MethodState(source.Layout, _buffers, source.Counters.ToDictionary()) { Optional = source.Optional };
    }

    public void Dispose()
    {
        foreach (var (_, buffer) in _buffers) { buffer.Dispose(); }
    }
}
