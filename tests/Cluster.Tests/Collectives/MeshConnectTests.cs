using System.Collections.Immutable;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Cluster.Tests.EndToEnd;
using Cluster.Trainer.Core.Collectives;

namespace Cluster.Tests.Collectives;

/// <summary>How a rank that cannot get its mesh together ends: by name, and in time.</summary>
public class MeshConnectTests
{
    private static Mesh Dialing(DataPlaneListener own, EndPoint lower, string job = LocalMeshes.Job, long generation = 1, ImmutableArray<byte>? secret = null, TimeSpan? deadline = null) =>
        new(new MeshMembership(job, generation, 1, [lower, own.EndPoint], secret ?? LocalMeshes.Secret) { Deadline = deadline ?? Within.Limit }, own);

    private static async Task<MeshFault> Refused(string job = LocalMeshes.Job, long generation = 2, ImmutableArray<byte>? secret = null, TimeSpan? deadline = null)
    {
        using var lone = new LoneRank(generation: 2);
        var waiting = Within.Start(lone.Mesh.Connect);
        using var own = new DataPlaneListener();
        using var mesh = Dialing(own, lone.Listener.EndPoint, job, generation, secret, deadline);
        var fault = await LoneRank.Fault(Within.Start(mesh.Connect));
        Within.Until(() => lone.Listener.RefusedCount > 0, "the refusal is counted"); // After it was answered.
        Assert.False(waiting.IsCompleted);
        lone.Mesh.Abort("the test is over");
        await LoneRank.Fault(waiting);
        return fault;
    }

    [Fact]
    public async Task A_member_with_the_wrong_secret_hears_so()
    {
        var fault = await Refused(secret: LocalMeshes.Secret.SetItem(0, 255));
        Assert.Equal((FaultKind.Refused, 0), (fault.Kind, fault.Rank));
        Assert.Contains("WrongSecret", fault.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_member_of_an_old_generation_hears_so()
    {
        // The refusal comes once the new generation is expected; until then the caller is asked to come again.
        var fault = await Refused(generation: 1);
        Assert.Equal((FaultKind.Refused, 0), (fault.Kind, fault.Rank));
        Assert.Contains("OldGeneration", fault.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_process_that_works_on_another_job_is_tried_until_the_deadline()
    {
        var fault = await Refused(job: "another", deadline: LoneRank.Short);
        Assert.Equal((FaultKind.Unreachable, 0), (fault.Kind, fault.Rank));
        Assert.Contains("WrongJob", fault.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_member_that_does_not_come_is_named_at_the_deadline()
    {
        using var lone = new LoneRank(size: 3, deadline: LoneRank.Short);
        var connected = Within.Start(lone.Mesh.Connect);
        using var peer = RawPeer.Admitted(lone.Listener.EndPoint, from: 1);
        var fault = await LoneRank.Fault(connected);
        Assert.Equal((FaultKind.Unreachable, 2), (fault.Kind, fault.Rank));
        lone.Mesh.Dispose();
        peer.ReadsUntilClosed(); // Who did come is not left waiting.
    }

    [Fact]
    public async Task An_address_where_nobody_listens_is_tried_until_the_deadline()
    {
        var nobody = new IPEndPoint(IPAddress.Loopback, FreePort.Take());
        using var own = new DataPlaneListener();
        using var mesh = Dialing(own, nobody, deadline: LoneRank.Short);
        var start = Stopwatch.GetTimestamp();
        var fault = await LoneRank.Fault(Within.Start(mesh.Connect));
        Assert.Equal((FaultKind.Unreachable, 0), (fault.Kind, fault.Rank));
        Assert.InRange(Stopwatch.GetElapsedTime(start), 0.8 * LoneRank.Short, 10 * LoneRank.Short);
    }

    [Theory]
    [InlineData(false), InlineData(true)]
    public async Task A_listener_that_never_answers_holds_nothing_up(bool aborts)
    {
        using var mute = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 10_000 };
        mute.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        mute.Listen();
        using var own = new DataPlaneListener();
        using var mesh = Dialing(own, mute.LocalEndPoint!, deadline: aborts ? Within.Limit : LoneRank.Short);
        var connected = Within.Start(mesh.Connect);
        using var caller = mute.Accept();
        Assert.True(BoundedReceive.TryReceive(caller, new byte[Hello.Size], Within.Limit));
        if (aborts) { mesh.Abort("enough"); }
        var fault = await LoneRank.Fault(connected);
        Assert.Equal(aborts ? FaultKind.Aborted : FaultKind.Unreachable, fault.Kind);
    }

    [Fact]
    public async Task An_abort_ends_the_wait_for_higher_ranks()
    {
        using var lone = new LoneRank(size: 3);
        var connected = Within.Start(lone.Mesh.Connect);
        using var peer = RawPeer.Admitted(lone.Listener.EndPoint);
        lone.Mesh.Abort("the membership changed");
        var fault = await LoneRank.Fault(connected);
        Assert.Equal((FaultKind.Aborted, null, "the membership changed"), (fault.Kind, fault.Rank, fault.Reason));
    }

    [Fact]
    public void A_membership_knows_its_bounds_and_keeps_its_secret()
    {
        ImmutableArray<EndPoint> members = [new IPEndPoint(IPAddress.Loopback, 1), new DnsEndPoint("host", 2)];
        Assert.Throws<ArgumentOutOfRangeException>(() => new MeshMembership("j", 1, 2, members, LocalMeshes.Secret));
        Assert.Throws<ArgumentOutOfRangeException>(() => new MeshMembership("j", 1, -1, members, LocalMeshes.Secret));
        Assert.Throws<ArgumentException>(() => new MeshMembership("j", 1, 0, members, LocalMeshes.Secret.RemoveAt(0)));
        Assert.Equal("j generation 7 rank 1 of 2", new MeshMembership("j", 7, 1, members, LocalMeshes.Secret).ToString());
    }
}
