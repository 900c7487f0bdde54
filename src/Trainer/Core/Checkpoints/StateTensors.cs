using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Cluster.Trainer.Core.State;

namespace Cluster.Trainer.Core.Checkpoints;

/// <summary>A tensor of a safetensors file and where its floats lie in memory.</summary>
internal readonly record struct StateTensor(string Name, FlatBuffer Buffer, Segment Segment)
{
    public ImmutableArray<long> Shape => Segment.Shape;
}

/// <summary>
/// Which tensors the two files of a checkpoint hold, in which order. Both follow the layout, so the values of
/// model.safetensors begin with all parameters in layout order, then the statistics.
/// </summary>
internal static class StateTensors
{
    /// <summary>Floats per read or write: 4 MiB.</summary>
    public const int ChunkLength = 1 << 20;

    private const string Theta = "theta";

    /// <summary>θ under the model's own names, so that Python finds <c>blocks.0.qkv.weight</c>.</summary>
    public static ImmutableArray<StateTensor> Model(MethodState state)
    {
        if (state.Buffers.Count == 0 || state.Buffers[0].Name != Theta) { throw new ArgumentException($"the first buffer of a state is '{Theta}'", nameof(state)); }
        return Tensors(state.Layout, state.Buffers[0].Buffer, prefix: "");
    }

    /// <summary>The other buffers, each tensor under the buffer's name: <c>m.blocks.0.qkv.weight</c>.</summary>
    public static ImmutableArray<StateTensor> Optimizer(MethodState state) =>
        [.. state.Buffers.Skip(1).SelectMany(b => Buffer(state.Layout, b.Name, b.Buffer))];

    /// <summary>One of those other buffers.</summary>
    public static ImmutableArray<StateTensor> Buffer(Layout layout, string name, FlatBuffer buffer) => Tensors(layout, buffer, prefix: $"{name}.");

    /// <summary>A buffer as long as the parameters holds those alone; a longer one holds the statistics too.</summary>
    private static ImmutableArray<StateTensor> Tensors(Layout layout, FlatBuffer buffer, string prefix)
    {
        if (buffer.Length != layout.ParameterLength && buffer.Length != layout.Length)
        {
            throw new ArgumentException($"a buffer of {buffer.Length:N0} floats does not fit a layout of {layout.ParameterLength:N0} or {layout.Length:N0}");
        }

        var segments = buffer.Length == layout.Length ? layout.Segments : layout.Parameters;
        return [.. segments.Select(s => new StateTensor(prefix + s.Name, buffer, s))];
    }

    /// <summary>Writes a whole safetensors file of CPU buffers, piece by piece.</summary>
    public static void Write(ImmutableArray<StateTensor> tensors, IReadOnlyDictionary<string, string> metadata, Action<ReadOnlySpan<byte>> sink)
    {
        sink(SafeTensorsHeader.For(tensors.Select(t => (t.Name, t.Shape)), metadata).Encode());
        foreach (var (_, buffer, segment) in tensors)
        {
            for (var done = 0L; done < segment.Length; done += ChunkLength)
            {
                var count = Math.Min(ChunkLength, segment.Length - done);
                sink(MemoryMarshal.AsBytes(buffer.Slice(segment.Offset + done, count)));
            }
        }
    }

    /// <summary>Why the file does not hold exactly these tensors, in words; null when it does.</summary>
    public static string? Mismatch(SafeTensorsHeader header, ImmutableArray<StateTensor> wanted)
    {
        var found = header.Tensors.ToDictionary(t => t.Name);
        foreach (var tensor in wanted)
        {
            if (!found.Remove(tensor.Name, out var entry)) { return $"tensor '{tensor.Name}' is missing"; }
            if (!entry.Shape.SequenceEqual(tensor.Shape))
            {
                return $"tensor '{tensor.Name}' has shape [{string.Join(", ", entry.Shape)}], this model's is [{string.Join(", ", tensor.Shape)}]";
            }
        }

        return found.Count > 0 ? $"tensor '{found.Keys.First()}' is not one of this model's" : null;
    }

    /// <summary>Fills the CPU buffers from a file that <see cref="Mismatch"/> has passed.</summary>
    public static void Read(SafeTensorsFile file, ImmutableArray<StateTensor> tensors)
    {
        var entries = file.Header.Tensors.ToDictionary(t => t.Name);
        foreach (var (name, buffer, segment) in tensors)
        {
            for (var done = 0L; done < segment.Length; done += ChunkLength)
            {
                var count = Math.Min(ChunkLength, segment.Length - done);
                file.Read(entries[name], done, buffer.Slice(segment.Offset + done, count));
            }
        }
    }
}
