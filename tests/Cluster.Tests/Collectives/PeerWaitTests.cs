using System.Net;
using Cluster.Trainer.Core.Collectives;
using Cluster.Trainer.Core.Collectives.Shared;
using Cluster.Trainer.Core.Native;

namespace Cluster.Tests.Collectives;

/// <summary>What a rank makes of a peer that gives the mesh up while it waits.</summary>
public sealed unsafe class PeerWaitTests
{
    /// <summary>A rank that is through with the last collective goes at once. Whoever looks at its board just then has all that it waits for, too.</summary>
    [SkippableTheory, InlineData(true), InlineData(false)]
    public void A_peer_that_gave_up_is_a_fault_only_where_what_is_waited_for_has_not_come(bool hasCome)
    {
        Skip.IfNot(MemoryFile.IsSupported && Futex.IsSupported, "no memory is shared between processes here");
        using var file = MemoryFile.Create(Board.Bytes);
        using var memory = new MappedMemory(file.Handle, Board.Bytes, FileAccess.ReadWrite);
        using var peer = new SharedPeer(1, Environment.ProcessId, new MappedMemory(file.Handle, Board.Bytes, FileAccess.Read));
        var (board, membership) = (new Board(memory.Start), new MeshMembership("job", 1, 0, [new IPEndPoint(0, 0), new IPEndPoint(0, 0)], [.. new byte[MeshMembership.SecretBytes]]));
        var wait = new PeerWait(membership, [peer], new HangUps([]), Ended, fault => new MeshFaultException(fault));

        void Wait() => wait.Until(peer, peer.Board.Posted, 1);
        if (hasCome) { Wait(); } else { Assert.Equal("gave the mesh up", Assert.Throws<MeshFaultException>(Wait).Fault.Reason); }

        // Asked between the look at the counter and the look at who is gone.
        MeshFault? Ended()
        {
            if (hasCome) { *board.Posted = 1; }
            *board.GaveUp = 1;
            return null;
        }
    }
}
