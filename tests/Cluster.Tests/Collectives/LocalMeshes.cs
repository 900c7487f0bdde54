using System.Collections.Immutable;
using System.Net;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Collectives;
using Cluster.Trainer.Core.State;

namespace Cluster.Tests.Collectives;

/// <summary>All ranks of a generation in this process, each with its own listener and, while it works, its own thread.</summary>
internal sealed class LocalMeshes : IDisposable
{
    public const string Job = "job";
    public static readonly ImmutableArray<byte> Secret = [.. Enumerable.Range(0, MeshMembership.SecretBytes).Select(i => (byte)i)];

    private readonly DataPlaneListener[] _listeners;
    private readonly Func<int, bool> _sharesMemory;
    private readonly TimeSpan? _deadline;
    private Mesh[] _meshes;

    private LocalMeshes(int size, Func<int, bool> sharesMemory, TimeSpan? deadline)
    {
        _sharesMemory = sharesMemory;
        _deadline = deadline;
        _listeners = [.. Enumerable.Range(0, size).Select(_ => new DataPlaneListener())];
        _meshes = Create(1);
    }

    public DataPlaneListener Listener(int rank) => _listeners[rank];

    public Mesh this[int rank] => _meshes[rank];

    /// <param name="sharesMemory">By rank; all when null.</param>
    public static async Task<LocalMeshes> Connect(int size, Func<int, bool>? sharesMemory = null, TimeSpan? deadline = null)
    {
        var meshes = new LocalMeshes(size, sharesMemory ?? (_ => true), deadline);
        await meshes.OnAll(mesh => mesh.Connect());
        return meshes;
    }

    /// <summary>Ends this generation and connects another one through the same listeners.</summary>
    public async Task Reconnect(long generation)
    {
        foreach (var mesh in _meshes) { mesh.Dispose(); }
        _meshes = Create(generation);
        await OnAll(mesh => mesh.Connect());
    }

    private Mesh[] Create(long generation)
    {
        ImmutableArray<EndPoint> members = [.. _listeners.Select(listener => listener.EndPoint)];
        return [.. _listeners.Select((listener, rank) => new Mesh(
            new MeshMembership(Job, generation, rank, members, Secret) { SharesMemory = _sharesMemory(rank), Deadline = _deadline ?? TimeSpan.FromSeconds(30) }, listener))];
    }

    /// <summary>The same call on every rank at once; the results in order of rank.</summary>
    public async Task<T[]> OnAll<T>(Func<Mesh, T> call) =>
        await Task.WhenAll(_meshes.Select(mesh => Within.Start(() => call(mesh)))).WaitAsync(Within.Limit);

    public async Task OnAll(Action<Mesh> call) => await Task.WhenAll(_meshes.Select(mesh => Within.Start(() => call(mesh)))).WaitAsync(Within.Limit);

    /// <summary>
    /// What a rank of the round does: adds up its leaves, then reduces. Checks that its inputs stay as they were. Where memory
    /// is shared, some ranks bring vectors and results that are used in place, others such that are copied.
    /// </summary>
    public static float[] AllReduce(Mesh mesh, long round, float[][] leaves, int length)
    {
        var ranges = new LeafRanges(leaves.Length, mesh.Size);
        using var accumulator = new LeafAccumulator(() => (round + mesh.Rank) % 3 > 0 ? FlatBuffer.ForPeers(length) : new FlatBuffer(length));
        var run = ranges[mesh.Rank];
        accumulator.Begin(run, leaves.Length);
        for (var leaf = run.First; leaf < run.End; leaf++)
        {
            var next = accumulator.Next();
            if (length > 0) { leaves[leaf].CopyTo(next.Span); }
            accumulator.Commit(default(Tally));
        }

        var nodes = accumulator.Nodes;
        var before = nodes.Select(n => Reference.Copy(n.Vector)).ToArray();
        using var result = (round + mesh.Rank) % 2 > 0 ? mesh.CreateSum(length) : new FlatBuffer(length);
        if (length > 0) { result.Span.Fill(float.NaN); }
        try { mesh.AllReduce(round, nodes, ranges, result); }
        finally
        {
            foreach (var (old, node) in before.Zip(nodes)) { Reference.SameBits(old, Reference.Copy(node.Vector)); }
        }

        return Reference.Copy(result);
    }

    public void Dispose()
    {
        foreach (var mesh in _meshes) { mesh.Dispose(); }
        foreach (var listener in _listeners) { listener.Dispose(); }
    }
}
