using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Cluster.Trainer.Core.State;

/// <summary>One number for all that a method's state is: equal states have equal numbers, on any worker.</summary>
internal static class StateHash
{
    private const long ChunkLength = 1 << 24;

    /// <summary>XxHash3-64 over the buffers in order, then the counters in the order of their names.</summary>
    public static ulong Of(MethodState state)
    {
        var hash = new XxHash3();
        foreach (var (_, buffer) in state.Buffers) { Append(hash, buffer); }
        foreach (var (name, value) in state.Counters.OrderBy(counter => counter.Key, StringComparer.Ordinal))
        {
            hash.Append(MemoryMarshal.AsBytes(name.AsSpan()));
            hash.Append(BitConverter.GetBytes(value));
        }

        return hash.GetCurrentHashAsUInt64();
    }

    private static void Append(XxHash3 hash, FlatBuffer buffer)
    {
        if (!buffer.IsOnCpu)
        {
            using var copy = new FlatBuffer(buffer.Length);
            copy.CopyFrom(buffer);
            Append(hash, copy);
            return;
        }

        for (var at = 0L; at < buffer.Length; at += ChunkLength)
        {
            hash.Append(MemoryMarshal.AsBytes(buffer.Slice(at, Math.Min(ChunkLength, buffer.Length - at))));
        }
    }
}
