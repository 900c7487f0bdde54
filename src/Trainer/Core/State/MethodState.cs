namespace Cluster.Trainer.Core.State;

/// <summary>
/// A method's state: the buffers by name in a fixed order, and a few exact numbers. The same names and lengths on every worker
/// of a job and in its checkpoints.
/// </summary>
/// <param name="Layout">The layout that the buffers share.</param>
/// <param name="Buffers">The first is <c>theta</c>: parameters, then statistics.</param>
/// <param name="Counters">Numbers beside the buffers, such as the count of applied updates. Changed in place.</param>
internal sealed record MethodState(Layout Layout, IReadOnlyList<(string Name, FlatBuffer Buffer)> Buffers, IDictionary<string, long> Counters);
