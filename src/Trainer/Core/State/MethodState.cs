namespace Cluster.Trainer.Core.State;

/// <summary>
/// A method's state: the buffers by name in a fixed order, and a few exact numbers. The same names and lengths on every worker
/// of a job and in its checkpoints.
/// </summary>
/// <param name="Layout">The layout that the buffers share.</param>
/// <param name="Buffers">The first is <c>theta</c>: parameters, then statistics.</param>
/// <param name="Counters">Numbers beside the buffers, such as the count of applied updates. Changed in place.</param>
internal sealed record MethodState(Layout Layout, IReadOnlyList<(string Name, FlatBuffer Buffer)> Buffers, IDictionary<string, long> Counters)
{
    /// <summary>
    /// Buffers and counters whose names begin so may be missing in a checkpoint, all together: it was written when the job had no
    /// need of them, and they begin at zero. Null where all are needed.
    /// </summary>
    public string? Optional { get; init; }

    /// <summary>What a checkpoint with these counters must hold of this state: all, or all but what is optional.</summary>
    public MethodState As(IReadOnlyDictionary<string, long> saved)
    {
        bool IsOptional(string name) => name.StartsWith(Optional!, StringComparison.Ordinal);
        return Optional is null || saved.Keys.Any(IsOptional) ? this : this with
        {
            Buffers = [.. Buffers.Where(buffer => !IsOptional(buffer.Name))],
            Counters = new SortedDictionary<string, long>(Counters.Where(counter => !IsOptional(counter.Key)).ToDictionary(), StringComparer.Ordinal),
        };
    }
}
