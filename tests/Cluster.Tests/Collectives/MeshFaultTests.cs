using System.Diagnostics;
using System.Runtime.InteropServices;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Collectives;
using Cluster.Trainer.Core.State;

namespace Cluster.Tests.Collectives;

/// <summary>A peer that breaks the rules in a collective: the fault names it, comes in time, and ends the mesh.</summary>
public class MeshFaultTests
{
    private const int Small = 20, Large = 2 * 3 * PipelinedAllReduce.ChunkLength;

    public enum Call
    {
        Gather,
        Direct,
        Partial,
        Broadcast,
    }

    public enum Fault
    {
        Payload,
        Hash,
        Generation,
        Round,
        Kind,
        Sequence,
        Longer,
        Shorter,
        Negative,
        Huge,
        NoFrame,
    }

    private static FrameKind KindOf(Call call) => call switch
    {
        Call.Gather => FrameKind.Gather,
        Call.Direct => FrameKind.Direct,
        Call.Partial => FrameKind.Partial,
        _ => FrameKind.Broadcast,
    };

    /// <summary>The first payload that rank 0 waits for.</summary>
    private static byte[] Due(Call call) => MemoryMarshal.AsBytes<float>(Reference.Floats(call == Call.Partial ? PipelinedAllReduce.ChunkLength : Small, 1)).ToArray();

    private static void Run(Mesh mesh, Call call)
    {
        if (call == Call.Gather)
        {
            mesh.Gather(1, [1]);
            return;
        }

        var mine = Reference.Floats(call == Call.Partial ? Large : Small, 2);
        using FlatBuffer vector = Reference.Buffer(mine), result = new(mine.Length);
        if (call == Call.Broadcast)
        {
            mesh.Broadcast(1, 1, result);
            return;
        }

        try { mesh.AllReduce(1, [new NodeSum(new Node(0, 1), vector, default(Tally))], new LeafRanges(2, 2), result); }
        finally { Reference.SameBits(mine, vector.Span); }
    }

    [Theory]
    [EveryCallAndFault]
    public async Task A_frame_that_is_not_the_due_one_is_a_fault_of_its_sender(Call call, Fault wrong)
    {
        using var lone = new LoneRank();
        using var peer = await lone.Meet();
        var due = Due(call);
        var kind = KindOf(call);
        var right = FrameHeader.HashOf(due);
        var bent = due.ToArray();
        bent[^1] ^= 1;
        switch (wrong)
        {
            case Fault.Payload: peer.Send(kind, bent, hash: right); break;
            case Fault.Hash: peer.Send(kind, due, hash: right ^ 1); break;
            case Fault.Generation: peer.Send(kind, due, generation: 2); break;
            case Fault.Round: peer.Send(kind, due, round: 2); break;
            case Fault.Kind: peer.Send(FrameKind.Result, due); break;
            case Fault.Sequence: peer.Send(kind, due, sequence: 7); break;
            case Fault.Longer: peer.Send(kind, due, length: due.Length + 4); break;
            case Fault.Shorter: peer.Send(kind, due, length: due.Length - 4); break;
            case Fault.Negative: peer.Send(kind, due, length: -1); break;
            case Fault.Huge: peer.Send(kind, due, length: int.MaxValue); break;
            default: peer.SendBytes(new byte[FrameHeader.Size + due.Length]); break;
        }

        // A byte string may have any length: what comes short of a longer one is found when the peer ends.
        if (call == Call.Gather && wrong == Fault.Longer) { peer.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send); }

        var fault = await lone.Fault(mesh => Run(mesh, call));
        Assert.Equal(call == Call.Gather && wrong == Fault.Longer ? FaultKind.Closed : FaultKind.Corrupt, fault.Kind);
        Assert.Equal(1, fault.Rank);
        peer.ReadsUntilClosed();
    }

    private sealed class EveryCallAndFaultAttribute : Xunit.Sdk.DataAttribute
    {
        public override IEnumerable<object[]> GetData(System.Reflection.MethodInfo testMethod) =>
            from call in Enum.GetValues<Call>() from wrong in Enum.GetValues<Fault>() select new object[] { call, wrong };
    }

    [Fact]
    public async Task A_corrupted_finished_chunk_is_a_fault_of_its_owner()
    {
        using var lone = new LoneRank();
        using var peer = await lone.Meet();
        var chunk = Due(Call.Partial);
        var call = lone.Fault(mesh => Run(mesh, Call.Partial));
        for (var step = 0; step < 3; step++) { peer.Send(FrameKind.Partial, chunk); } // Rank 0's slice has three chunks; results are due after these.
        peer.Send(FrameKind.Result, chunk, hash: 0);
        var fault = await call;
        Assert.Equal((FaultKind.Corrupt, 1), (fault.Kind, fault.Rank));
    }

    [Fact]
    public async Task A_late_frame_of_the_last_round_is_never_added()
    {
        using var lone = new LoneRank();
        using var peer = await lone.Meet();
        peer.Send(FrameKind.Direct, Due(Call.Direct));
        peer.Send(FrameKind.Direct, Due(Call.Direct));
        await Within.Start(() => Run(lone.Mesh, Call.Direct)).WaitAsync(Within.Limit);
        using FlatBuffer vector = new(Small), result = new(Small);
        var fault = await lone.Fault(mesh => mesh.AllReduce(2, [new NodeSum(new Node(0, 1), vector, default(Tally))], new LeafRanges(2, 2), result));
        Assert.Equal((FaultKind.Corrupt, 1), (fault.Kind, fault.Rank));
        Assert.Contains("round 1, not 2", fault.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Call.Gather), InlineData(Call.Direct), InlineData(Call.Partial), InlineData(Call.Broadcast)]
    public async Task A_silent_peer_is_a_fault_at_the_deadline(Call call)
    {
        using var lone = new LoneRank(deadline: LoneRank.Short);
        using var peer = await lone.Meet();
        var start = Stopwatch.GetTimestamp();
        var fault = await lone.Fault(mesh => Run(mesh, call));
        Assert.Equal((FaultKind.Silent, 1), (fault.Kind, fault.Rank));
        Assert.InRange(Stopwatch.GetElapsedTime(start), 0.8 * LoneRank.Short, 10 * LoneRank.Short);
    }

    [Fact]
    public async Task A_peer_that_does_not_read_is_a_fault_at_the_deadline()
    {
        using var lone = new LoneRank(deadline: LoneRank.Short);
        using var peer = await lone.Meet();
        using var buffer = new FlatBuffer(16 << 20); // More than the buffers of any connection.
        var start = Stopwatch.GetTimestamp();
        var fault = await lone.Fault(mesh => mesh.Broadcast(1, 0, buffer));
        Assert.Equal((FaultKind.Silent, 1), (fault.Kind, fault.Rank));
        Assert.InRange(Stopwatch.GetElapsedTime(start), 0.8 * LoneRank.Short, 10 * LoneRank.Short);
    }

    [Theory]
    [InlineData(Call.Gather), InlineData(Call.Direct), InlineData(Call.Partial), InlineData(Call.Broadcast)]
    public async Task A_peer_that_closes_is_a_fault(Call call)
    {
        using var lone = new LoneRank();
        var peer = await lone.Meet();
        var running = lone.Fault(mesh => Run(mesh, call));
        peer.Dispose();
        var fault = await running;
        Assert.Equal((FaultKind.Closed, 1), (fault.Kind, fault.Rank));
    }

    [Theory]
    [InlineData(Call.Gather), InlineData(Call.Direct), InlineData(Call.Partial), InlineData(Call.Broadcast)]
    public async Task An_abort_from_another_thread_ends_the_call(Call call)
    {
        using var lone = new LoneRank();
        using var peer = await lone.Meet();
        var running = lone.Fault(mesh => Run(mesh, call));
        // What it sends first is here: it is in the call, about to receive what never comes.
        if (call != Call.Broadcast) { Assert.True(BoundedReceive.TryReceive(peer.Socket, new byte[FrameHeader.Size], Within.Limit)); }
        lone.Mesh.Abort("enough");
        lone.Mesh.Abort("the first reason stays");
        var fault = await running;
        Assert.Equal((FaultKind.Aborted, null, "enough"), (fault.Kind, fault.Rank, fault.Reason));
        peer.ReadsUntilClosed();
    }

    [Fact]
    public async Task A_small_frame_that_is_cut_short_is_known_by_its_header_and_not_by_the_deadline()
    {
        using var lone = new LoneRank();
        using var peer = await lone.Meet();
        peer.Send(FrameKind.Direct, Due(Call.Direct).AsSpan(0, 8));
        var fault = await lone.Fault(mesh => Run(mesh, Call.Direct));
        Assert.Equal((FaultKind.Corrupt, 1), (fault.Kind, fault.Rank));
    }

    [Theory]
    [InlineData(Small, false), InlineData(Large, false), InlineData(Small, true), InlineData(Large, true)]
    public async Task One_rank_that_leaves_ends_the_call_on_all(int length, bool sharesMemory)
    {
        using var meshes = await LocalMeshes.Connect(4, _ => sharesMemory);
        var leaves = Reference.Leaves(4, length, 1);
        var faults = await meshes.OnAll(mesh =>
        {
            if (mesh.Rank == 2) { mesh.Abort("leaves"); }
            return Assert.Throws<MeshFaultException>(() => LocalMeshes.AllReduce(mesh, 1, leaves, length)).Fault;
        });
        Assert.Equal(FaultKind.Aborted, faults[2].Kind);
        Assert.All(faults.Where((_, rank) => rank != 2), fault => Assert.Equal(FaultKind.Closed, fault.Kind));
        if (sharesMemory) { Assert.All(faults.Where((_, rank) => rank != 2), fault => Assert.Equal(2, fault.Rank)); } // Not one that left because of it.

        await meshes.Reconnect(2); // The survivors' next generation, through the same doors.
        var expected = Reference.Sum(leaves.AsSpan());
        Assert.All(await meshes.OnAll(mesh => LocalMeshes.AllReduce(mesh, 1, leaves, length)), result => Reference.SameBits(expected, result));
    }

    [Fact]
    public void A_disposed_mesh_can_be_aborted_and_throws()
    {
        using var lone = new LoneRank(size: 1);
        lone.Mesh.Connect();
        lone.Mesh.Dispose();
        lone.Mesh.Abort("again");
        Assert.Equal(FaultKind.Aborted, Assert.Throws<MeshFaultException>(() => lone.Mesh.Gather(1, [])).Fault.Kind);
        Assert.Throws<MeshFaultException>(lone.Mesh.Connect);
    }
}
