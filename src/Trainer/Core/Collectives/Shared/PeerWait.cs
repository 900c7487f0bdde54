using System.Diagnostics;
using Cluster.Trainer.Core.Native;

namespace Cluster.Trainer.Core.Collectives.Shared;

/// <summary>
/// Waits for peers, and for nothing that will not come: a peer whose process ends is known by its closed connection, one that
/// gives up by its board, one that hangs by the deadline.
/// </summary>
/// <param name="peers">In order of rank.</param>
/// <param name="hangUps">Their connections, in the same order.</param>
/// <param name="fault">The fault that ended the mesh here, if one did.</param>
/// <param name="fail">Records a fault of the mesh and returns the one that came first.</param>
internal sealed unsafe class PeerWait(
    MeshMembership membership,
    IReadOnlyList<SharedPeer> peers,
    HangUps hangUps,
    Func<MeshFault?> fault,
    Func<MeshFault, MeshFaultException> fail)
{
    /// <summary>
    /// How often to look before sleeping: about a microsecond. A longer look does not pay where other work wants the processor:
    /// it uses up the time that the scheduler would give a thread which has just woken up.
    /// </summary>
    private const int Looks = 20;

    /// <summary>After so long asleep, look whether everybody is still there.</summary>
    private static readonly TimeSpan Nap = TimeSpan.FromMilliseconds(5);

    /// <summary>Returns once the counter on the peer's board has come to <paramref name="value"/>.</summary>
    public void Until(SharedPeer peer, uint* counter, uint value)
    {
        for (var look = 0; look < Looks; look++)
        {
            if (HasCome(Volatile.Read(ref *counter), value)) { return; }
            Thread.SpinWait(1);
        }

        var start = Stopwatch.GetTimestamp();
        var progress = Volatile.Read(ref *peer.Board.Progress);
        while (true)
        {
            var seen = Volatile.Read(ref *counter);
            if (HasCome(seen, value)) { return; }
            ThrowIfEnded();
            if (Gone() is { } gone)
            {
                // A peer that ended well gives up too, and by then all that it waited for has come: perhaps since we looked.
                if (HasCome(Volatile.Read(ref *counter), value)) { return; }
                throw fail(gone);
            }

            var now = Volatile.Read(ref *peer.Board.Progress);
            if (now != progress) { (progress, start) = (now, Stopwatch.GetTimestamp()); }
            if (Stopwatch.GetElapsedTime(start) > membership.Deadline)
            {
                throw fail(new MeshFault(FaultKind.Silent, peer.Rank, $"made no progress for {membership.Deadline.TotalSeconds:0.###} s"));
            }

            Futex.Wait(counter, seen, Nap);
        }
    }

    /// <summary>
    /// Throws when the mesh has ended here or for any peer; names whom the ranks lost first, rather than one that gave up
    /// because of it.
    /// </summary>
    public void ThrowIfAnyoneIsGone()
    {
        ThrowIfEnded();
        if (Gone() is { } gone) { throw fail(gone); }
    }

    /// <summary>The part of it that costs no system call.</summary>
    public void ThrowIfAnyoneGaveUp()
    {
        if (GivenUp() is { } gone) { throw fail(gone); }
    }

    private void ThrowIfEnded()
    {
        if (fault() is { } ended) { throw new MeshFaultException(ended); }
    }

    private MeshFault? Gone()
    {
        // In this order: who gives up writes it on his board before he closes. Who closes without a word, died.
        if (hangUps.Look())
        {
            for (var i = 0; i < peers.Count; i++)
            {
                if (hangUps[i] && Volatile.Read(ref *peers[i].Board.GaveUp) == 0) { return FaultOf(peers[i].Rank, "closed its connection"); }
            }
        }

        return GivenUp();
    }

    private MeshFault? GivenUp()
    {
        foreach (var peer in peers)
        {
            var word = Volatile.Read(ref *peer.Board.GaveUp);
            if (word == 0) { continue; }
            var lost = (int)word - 2;
            return lost < 0 ? FaultOf(peer.Rank, "gave the mesh up")
                : lost == membership.Rank ? FaultOf(peer.Rank, "gave the mesh up, having lost this rank")
                : FaultOf(lost, $"was lost to rank {peer.Rank}");
        }

        return null;
    }

    public MeshFaultException Closed(int rank, string reason) => fail(FaultOf(rank, reason));

    private static MeshFault FaultOf(int rank, string reason) => new(FaultKind.Closed, rank, reason);

    private static bool HasCome(uint counter, uint value) => (int)(counter - value) >= 0;
}
