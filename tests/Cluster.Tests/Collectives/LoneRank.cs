using System.Collections.Immutable;
using System.Net;
using Cluster.Trainer.Core.Collectives;

namespace Cluster.Tests.Collectives;

/// <summary>One real rank, with listener and mesh, whose peers a test plays by hand.</summary>
internal sealed class LoneRank : IDisposable
{
    public static readonly TimeSpan Short = TimeSpan.FromSeconds(0.5);

    public LoneRank(int size = 2, TimeSpan? deadline = null, long generation = 1, DataPlaneListener? listener = null)
    {
        Listener = listener ?? new DataPlaneListener();
        ImmutableArray<EndPoint> members = [.. Enumerable.Repeat<EndPoint>(Listener.EndPoint, size)];
        Mesh = new Mesh(new MeshMembership(LocalMeshes.Job, generation, 0, members, LocalMeshes.Secret) { Deadline = deadline ?? Within.Limit }, Listener);
    }

    public DataPlaneListener Listener { get; }

    public Mesh Mesh { get; }

    /// <summary>Connects rank 0 of two with a peer made by hand.</summary>
    public async Task<RawPeer> Meet()
    {
        var connected = Within.Start(Mesh.Connect);
        var peer = RawPeer.Admitted(Listener.EndPoint);
        peer.SharesNothing();
        await connected.WaitAsync(Within.Limit);
        return peer;
    }

    /// <summary>The fault that the call ends with, on this and on every later call.</summary>
    public static async Task<MeshFault> Fault(Task call) =>
        (await Assert.ThrowsAsync<MeshFaultException>(() => call.WaitAsync(Within.Limit))).Fault;

    public async Task<MeshFault> Fault(Action<Mesh> call)
    {
        var fault = await Fault(Within.Start(() => call(Mesh)));
        Assert.Same(fault, Assert.Throws<MeshFaultException>(() => Mesh.Gather(99, [])).Fault);
        return fault;
    }

    public void Dispose()
    {
        Mesh.Dispose();
        Listener.Dispose();
    }
}
