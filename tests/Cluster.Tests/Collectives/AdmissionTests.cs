using System.Net.Sockets;
using Cluster.Trainer.Core.Collectives;

namespace Cluster.Tests.Collectives;

/// <summary>Whom the door lets in, and that nobody keeps the right members out.</summary>
public class AdmissionTests
{
    /// <summary>Rank 0 of two at generation 5 waits; the visitor comes first, then the right rank 1.</summary>
    private static async Task TheRightOneStillGetsIn(Action<LoneRank> visit, long refused = 1)
    {
        using var lone = new LoneRank(generation: 5);
        var connected = Within.Start(lone.Mesh.Connect);
        Within.Until(() =>
        {
            // Of the generation, but from a rank that has no place: tells whether the generation is expected yet.
            using var probe = new RawPeer(lone.Listener.EndPoint);
            return probe.SayHello(generation: 5, from: 0) == Admittance.WrongRank;
        }, "the mesh is expected");
        Within.Until(() => lone.Listener.RefusedCount == 1, "the probe is counted");

        visit(lone);
        Within.Until(() => lone.Listener.RefusedCount >= 1 + refused, "the visitor is counted");
        Assert.Equal(1 + refused, lone.Listener.RefusedCount);
        Assert.False(connected.IsCompleted);

        using var peer = RawPeer.Admitted(lone.Listener.EndPoint, generation: 5);
        peer.SharesNothing(generation: 5);
        await connected.WaitAsync(Within.Limit);
        peer.Send(FrameKind.Gather, [1, 2], generation: 5);
        var all = await Within.Start(() => lone.Mesh.Gather(1, [3])).WaitAsync(Within.Limit);
        Assert.Equal([[3], [1, 2]], all);
    }

    private static Task Answers(Admittance expected, Func<RawPeer, Admittance> hello, long refused = 1) => TheRightOneStillGetsIn(lone =>
    {
        using var peer = new RawPeer(lone.Listener.EndPoint);
        Assert.Equal(expected, hello(peer));
        peer.ReadsUntilClosed();
    }, refused);

    [Fact]
    public Task A_wrong_secret_is_refused() =>
        Answers(Admittance.WrongSecret, peer => peer.SayHello(5, secret: LocalMeshes.Secret.SetItem(31, 0)));

    [Fact]
    public Task An_old_generation_is_refused() => Answers(Admittance.OldGeneration, peer => peer.SayHello(4));

    [Fact]
    public Task A_later_generation_is_to_come_again_and_is_no_news() => Answers(Admittance.NotReady, peer => peer.SayHello(6), refused: 0);

    [Fact]
    public Task Another_job_is_refused() => Answers(Admittance.WrongJob, peer => peer.SayHello(5, job: "another"));

    [Theory]
    [InlineData(0, 0), InlineData(2, 0), InlineData(-1, 0), InlineData(1, 1), InlineData(int.MaxValue, int.MinValue)]
    public Task A_rank_without_a_place_is_refused(int from, int to) => Answers(Admittance.WrongRank, peer => peer.SayHello(5, from, to));

    [Fact]
    public Task Another_version_is_refused() => Answers(Admittance.WrongProtocol, peer => peer.SayHello(5, version: 1));

    [Theory]
    [InlineData(Hello.Size), InlineData(100_000)]
    public Task Garbage_is_refused(int length) => TheRightOneStillGetsIn(lone =>
    {
        using var peer = new RawPeer(lone.Listener.EndPoint);
        var garbage = new byte[length];
        new Random(1).NextBytes(garbage);
        try { peer.SendBytes(garbage); }
        catch (SocketException) { return; } // Closed before all of it was sent.
        peer.ReadsUntilClosed();
    });

    [Theory]
    [InlineData(0), InlineData(1), InlineData(Hello.Size - 1)]
    public Task A_connection_that_closes_within_its_hello_is_refused(int bytes) => TheRightOneStillGetsIn(lone =>
    {
        using var peer = new RawPeer(lone.Listener.EndPoint);
        peer.SendBytes(new byte[bytes]);
    });

    [Fact]
    public Task Half_open_connections_keep_only_their_own_places() => TheRightOneStillGetsIn(lone =>
    {
        var idle = Enumerable.Range(0, DataPlaneListener.MaxHandshakes).Select(_ => new RawPeer(lone.Listener.EndPoint)).ToArray();
        using var oneMore = new RawPeer(lone.Listener.EndPoint);
        oneMore.ReadsUntilClosed(); // Without a hello, and long before the limit of a handshake.
        foreach (var peer in idle) { peer.Dispose(); }
    }, DataPlaneListener.MaxHandshakes + 1);

    [Fact]
    public async Task A_peer_that_comes_again_keeps_one_connection()
    {
        using var lone = new LoneRank(size: 3);
        var connected = Within.Start(lone.Mesh.Connect);
        using var first = RawPeer.Admitted(lone.Listener.EndPoint);
        using var second = RawPeer.Admitted(lone.Listener.EndPoint);
        List<Socket> ended = [first.Socket, second.Socket];
        Socket.Select(ended, null, null, Within.Limit); // The older one; their threads may have swapped places, though.
        var kept = Assert.Single(ended) == first.Socket ? second : first;
        using var other = RawPeer.Admitted(lone.Listener.EndPoint, from: 2);
        kept.SharesNothing();
        other.SharesNothing();
        await connected.WaitAsync(Within.Limit);

        kept.Send(FrameKind.Gather, [1]);
        other.Send(FrameKind.Gather, [2]);
        Assert.Equal([[0], [1], [2]], await Within.Start(() => lone.Mesh.Gather(1, [0])).WaitAsync(Within.Limit));
    }

    [Fact]
    public async Task A_complete_mesh_takes_nobody_else()
    {
        using var lone = new LoneRank();
        using var peer = await lone.Meet();
        using var late = new RawPeer(lone.Listener.EndPoint);
        Assert.Equal(Admittance.Taken, late.SayHello());
        late.ReadsUntilClosed();
    }

    [Fact]
    public async Task One_listener_serves_generation_after_generation()
    {
        using var meshes = await LocalMeshes.Connect(3);
        foreach (var generation in new long[] { 2, 3, 10 })
        {
            await meshes.Reconnect(generation);
            foreach (var all in await meshes.OnAll(mesh => mesh.Gather(1, [(byte)mesh.Rank]))) { Assert.Equal([[0], [1], [2]], all); }
        }

        using var late = new RawPeer(meshes.Listener(0).EndPoint);
        Assert.Equal(Admittance.OldGeneration, late.SayHello(3));
    }

    [Fact]
    public void A_listener_serves_one_generation_at_a_time()
    {
        using var listener = new DataPlaneListener();
        using var lone = new LoneRank(size: 1, listener: listener);
        lone.Mesh.Connect();
        using var next = new LoneRank(size: 1, generation: 2, listener: listener);
        Assert.Throws<InvalidOperationException>(next.Mesh.Connect);
        lone.Mesh.Dispose();
        next.Mesh.Connect();
    }

    [Fact]
    public void Without_a_mesh_a_caller_is_to_come_again()
    {
        using var listener = new DataPlaneListener();
        using var peer = new RawPeer(listener.EndPoint);
        Assert.Equal(Admittance.NotReady, peer.SayHello());
        Assert.Equal(0, listener.RefusedCount);
    }
}
